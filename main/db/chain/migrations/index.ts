import type { Migration } from '../../open.ts';
import { places } from './0008-places.ts';

export const chainMigrations: readonly Migration[] = [places];
