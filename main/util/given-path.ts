import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { typedPath } from '../../shared/typed/path.ts';

/**
 * A path from the command line, a page or a script, absolute. `~/` is this user's home directory, as in every shell; a
 * name that only looks like a form of a path (in quotes, with a space at its end) is taken as it is where it is there.
 */
export function givenPath(text: string): string {
  if (!text.startsWith('~') && existsSync(text)) return resolve(text);
  return resolve(typedPath(text, { home: homedir(), isWindows: process.platform === 'win32' }));
}
