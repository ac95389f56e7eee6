/**
 * What was dropped on a page. A browser gives no path of it: a folder is walked here, and by the rules by which the node
 * walks one that it has a path of (`main/content/find-files.ts`).
 */
import { AceError } from '../../shared/errors.ts';
import type { FilesView } from '../../shared/rpc/content.ts';

export type Dropped =
  | { readonly kind: 'file'; readonly file: File }
  | { readonly kind: 'folder'; readonly folder: FileSystemDirectoryEntry };

/** A file of a folder, by the way to it from where the folder lies. */
export interface FoundFile {
  readonly path: string;
  readonly file: File;
}

export interface FolderFiles {
  readonly files: readonly FoundFile[];
  readonly leftOut: FilesView['leftOut'];
}

/** Files of one folder: more are imported folder by folder. */
const MOST_FILES = 20_000;

/**
 * To be called while the event is handled: later nothing is left of it.
 * @param havePaths a folder is a file with a path, which the node looks into
 */
export function droppedOf({ items }: Pick<DataTransfer, 'items'>, havePaths: boolean): readonly Dropped[] {
  return [...items].flatMap((item): Dropped[] => {
    if (item.kind !== 'file') return [];
    const entry = havePaths ? null : item.webkitGetAsEntry();
    if (entry?.isDirectory) return [{ kind: 'folder', folder: entry as FileSystemDirectoryEntry }];
    const file = item.getAsFile();
    return file ? [{ kind: 'file', file }] : [];
  });
}

/** @throws AceError `FileUnreadable`, `InvalidInput` (too many) */
export async function filesOf(folder: FileSystemDirectoryEntry): Promise<FolderFiles> {
  const found: { files: FoundFile[]; leftOut: FilesView['leftOut'][number][] } = { files: [], leftOut: [] };
  const entries = await entriesOf(folder);
  if (entries === null) throw new AceError('FileUnreadable', `${folder.name} cannot be read`);
  await walk(entries, found);
  return found;
}

async function walk(
  entries: readonly FileSystemEntry[],
  found: { files: FoundFile[]; leftOut: FilesView['leftOut'][number][] },
): Promise<void> {
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  for (const entry of visible.toSorted((a, b) => byName.compare(a.name, b.name))) {
    const path = entry.fullPath;
    if (entry.isDirectory) {
      const inside = await entriesOf(entry as FileSystemDirectoryEntry);
      if (inside === null) found.leftOut.push({ path, why: 'unreadable' });
      else await walk(inside, found);
    } else {
      const file = await fileOf(entry as FileSystemFileEntry);
      if (file === null) found.leftOut.push({ path, why: 'unreadable' });
      else if (await isMediaFile(file)) found.files.push({ path, file });
      else found.leftOut.push({ path, why: 'no-media' });
    }
    if (found.files.length + found.leftOut.length > MOST_FILES) {
      throw new AceError('InvalidInput', `There are more than ${MOST_FILES} files in this folder`, {
        details: { reason: 'too-many-files', bound: MOST_FILES },
      });
    }
  }
}

/** "Part 2" comes before "Part 10". */
const byName = new Intl.Collator('en', { numeric: true });

/** `null` where it cannot be read. Browsers give them a hundred at a time. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[] | null> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  try {
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (some.length === 0) return entries;
      entries.push(...some);
    }
  } catch {
    return null;
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File | null> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}

async function isMediaFile(file: File): Promise<boolean> {
  // Its tables of kinds are large, and needed here alone.
  const { HEAD_BYTES, isMediaType, mimeTypeBy } = await import('../../shared/mime-type.ts');
  try {
    const head = async () => new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    return isMediaType(await mimeTypeBy([file.name], head));
  } catch {
    return true; // it cannot be read: its import says why
  }
}
