/** The desktop app's entry: see main/app/entry.ts. */
import './process/heap.ts';
import './process/no-dumps.ts';
import * as electron from 'electron';
import { enter } from './app/entry.ts';

enter(electron, () => import('./app/desktop.ts'));
