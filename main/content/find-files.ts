/** The videos and sounds of a folder, for an import of all of it, and what of it is none. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { isMediaType } from '../../shared/mime-type.ts';
import type { FilesView } from '../../shared/rpc/content.ts';
import { mimeTypeOf } from './mime-type.ts';

/** Files of one answer: more are imported folder by folder. */
const MOST_FILES = 20_000;

/**
 * In the order of their names, folder by folder. Hidden files and folders are not looked at, links to folders are not
 * followed: they may lead in a circle. A path of a file is that file.
 * @throws AceError `FileMissing`, `FileUnreadable`, `InvalidInput` (too many)
 */
export async function findFiles(path: string): Promise<FilesView> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const isMissing = cause.code === 'ENOENT';
    throw new AceError(
      isMissing ? 'FileMissing' : 'FileUnreadable',
      isMissing ? `There is no file or folder ${path}` : `${path} cannot be read`,
      { cause },
    );
  });
  if (!info.isDirectory()) return { files: [path], leftOut: [] };
  const found: { files: string[]; leftOut: FilesView['leftOut'][number][] } = { files: [], leftOut: [] };
  await walk(path, found);
  return found;
}

async function walk(
  folder: string,
  found: { files: string[]; leftOut: FilesView['leftOut'][number][] },
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
  if (entries === null) {
    found.leftOut.push({ path: folder, why: 'unreadable' });
    return;
  }
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  for (const entry of visible.toSorted((a, b) => byName.compare(a.name, b.name))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, found);
    else if (!(await stat(path).catch(() => null))?.isFile()) found.leftOut.push({ path, why: 'unreadable' });
    else if (await isMediaFile(path)) found.files.push(path);
    else found.leftOut.push({ path, why: 'no-media' });
    if (found.files.length + found.leftOut.length > MOST_FILES) {
      throw new AceError(
        'InvalidInput',
        `There are more than ${MOST_FILES} files in this folder: import the folders in it one by one`,
        { details: { reason: 'too-many-files', bound: MOST_FILES } },
      );
    }
  }
}

/** "Part 2" comes before "Part 10". */
const byName = new Intl.Collator('en', { numeric: true });

async function isMediaFile(path: string): Promise<boolean> {
  try {
    return isMediaType(await mimeTypeOf(path, path));
  } catch {
    return true; // it cannot be read: its import says why
  }
}
