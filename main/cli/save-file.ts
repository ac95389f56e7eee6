/** Files that commands write for the user: beside the target first, so that there is never half a file under its name. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { storeError } from '../db/open.ts';
import { partialPath, removeLeftOvers } from './partial-file.ts';

/** What `--out` takes for standard output, as everywhere. A file of that name is `./-`. */
export const STANDARD_OUTPUT = '-';

/** The place that the user chose is no place for a file. */
const UNWRITABLE: ReadonlySet<string> = new Set([
  ...['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG'],
]);

/** @throws AceError `InvalidInput` when nothing can or may be written there */
export async function checkTarget(out: string, force: boolean): Promise<void> {
  const folder = await stat(dirname(out)).catch(() => null);
  if (!folder?.isDirectory())
    throw new AceError('InvalidInput', `There is no folder ${dirname(out)}: make it first`);
  const target = await stat(out).catch(() => null);
  if (target && !target.isFile())
    throw new AceError('InvalidInput', `${out} is not a file: choose another name`);
  if (target && !force) {
    throw new AceError('InvalidInput', `${out} is there already: choose another name, or add --force`);
  }
}

/**
 * Has `write` fill a file and gives it its name when that is done and on the disk. When it fails nothing is left, and what
 * was there stays.
 * @throws AceError `InvalidInput` (no place for a file), `StoreFailed` (a full disk, …); what `write` throws
 */
export async function saveAs(out: string, write: (file: WriteStream) => Promise<void>): Promise<void> {
  for (const name of await removeLeftOvers(out))
    process.stderr.write(`Removed ${name}, which a stopped command had left half written.\n`);
  const partial = partialPath(out);
  let isOurs = false;
  try {
    const file = createWriteStream(partial, { flags: 'wx', flush: true }).once('open', () => {
      isOurs = true;
    });
    await write(file);
    await rename(partial, out);
  } catch (error) {
    if (isOurs) await rm(partial, { force: true });
    throw saveError(error, out);
  }
}

/** What keeps a file from being saved: the target's own trouble, or a full disk. */
function saveError(error: unknown, out: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && UNWRITABLE.has(code)) {
    return new AceError('InvalidInput', `${out} cannot be written (${code})`, { cause: error });
  }
  return storeError(error, out);
}
