import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { storeError } from './store-error.ts';

const OWNER_ONLY = 0o700;

/**
 * Makes a folder and those above it that are missing, for their owner only. One by one, because Node's recursive mkdir
 * never returns under /proc, where a folder that can be seen refuses a new one with "no such file".
 * @throws AceError `DataDirNotWritable`, `StoreFailed`
 */
export function makeFolder(path: string): void {
  for (const folder of missingFolders(resolve(path))) makeOne(folder);
}

/** Outermost first. */
function missingFolders(path: string): string[] {
  const missing: string[] = [];
  // The top is its own parent: a drive that is not there ends the way up as well.
  for (let at = path; !existsSync(at); at = dirname(at)) {
    missing.unshift(at);
    if (dirname(at) === at) break;
  }
  return missing;
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder, { mode: OWNER_ONLY });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process was quicker.
    if (code === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    if (code !== 'ENOENT') throw storeError(error, folder);
    throw new AceError('DataDirNotWritable', `No folder can be made in ${dirname(folder)}`, {
      reaction: 'stop',
      cause: error,
    });
  }
}
