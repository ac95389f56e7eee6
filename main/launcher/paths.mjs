import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Top of the checkout (or of the installed package). */
export const rootDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The Node 24 that the whole project runs on, whatever Node started the launcher. */
export const nodeBinary =
  process.platform === 'win32'
    ? join(rootDir, 'node_modules', 'node', 'bin', 'node.exe')
    : join(rootDir, 'node_modules', '.bin', 'node');

/** Set-up notes that a clone does not carry: the lock, caches of the type checker. */
export const cacheDir = join(rootDir, '.cache');
