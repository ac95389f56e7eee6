import type { Migration } from '../../open.ts';
import { initial } from './0001-initial.ts';

export const chainMigrations: readonly Migration[] = [initial];
