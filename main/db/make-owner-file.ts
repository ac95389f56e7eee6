import { writeFileSync } from 'node:fs';

/**
 * Makes an empty file for its owner only where there is none, as the beginning of a database: SQLite would make it as
 * open as the umask allows, and gives the files that it makes beside it the same modes. One that is there is not
 * touched, since closing a descriptor of a file drops this process's locks on it. Never throws: SQLite says what is wrong.
 */
export function makeOwnerFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch {
    // It is there already, or cannot be made: then SQLite, which opens it next, fails and says why.
  }
}
