/** Folders as browsers hand them over, with the browser's objects made up. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { droppedOf, filesOf } from '../../../../renderer/state/dropped.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { ROOT } from '../../../helpers/browser.ts';

const clip = readFileSync(join(ROOT, 'resources/sample-clip.mp4')).subarray(0, 65_536);

function entryOf(name: string, parent = ''): FileSystemEntry {
  return { name, fullPath: `${parent}/${name}`, isDirectory: false, isFile: true } as FileSystemEntry;
}

function fileEntry(path: string, file: File | null): FileSystemFileEntry {
  const [, parent = '', name = ''] = /^(.*)\/(.*)$/.exec(path) ?? [];
  const give = (found: (file: File) => void, failed?: (error: DOMException) => void) =>
    file ? found(file) : failed?.(new DOMException('gone'));
  return { ...entryOf(name, parent), file: give } as FileSystemFileEntry;
}

/** A browser gives what is in it in several answers. */
function folderEntry(path: string, entries: FileSystemEntry[] | null): FileSystemDirectoryEntry {
  const [, parent = '', name = ''] = /^(.*)\/(.*)$/.exec(path) ?? [];
  const createReader = () => {
    const rest = [...(entries ?? [])];
    return {
      readEntries: (found: (entries: FileSystemEntry[]) => void, failed?: (error: DOMException) => void) =>
        entries ? found(rest.splice(0, 2)) : failed?.(new DOMException('denied')),
    };
  };
  return { ...entryOf(name, parent), isDirectory: true, isFile: false, createReader } as never;
}

const file = (path: string, bytes: Uint8Array<ArrayBuffer> = new Uint8Array(8)) =>
  fileEntry(path, new File([bytes], path.replace(/.*\//, '')));

describe('a folder that is dropped in a browser', () => {
  it('is walked as the node walks one: by name, without what is hidden, and what is no media is named', async () => {
    const folder = folderEntry('/films', [
      file('/films/Part 10.mp4'),
      file('/films/Part 2.mkv'),
      file('/films/.hidden.mp4'),
      file('/films/notes.txt'),
      file('/films/clip', new Uint8Array(clip)),
      folderEntry('/films/deep', [file('/films/deep/song.ogg'), fileEntry('/films/deep/gone.mp4', null)]),
      folderEntry('/films/secret', null),
    ]);
    const { files, leftOut } = await filesOf(folder);
    expect(files.map(({ path }) => path)).toEqual([
      '/films/clip',
      '/films/deep/song.ogg',
      '/films/Part 2.mkv',
      '/films/Part 10.mp4',
    ]);
    expect(leftOut).toEqual([
      { path: '/films/deep/gone.mp4', why: 'unreadable' },
      { path: '/films/notes.txt', why: 'no-media' },
      { path: '/films/secret', why: 'unreadable' },
    ]);
  });

  it('is refused when it cannot be read', async () => {
    await expectAceRejection('FileUnreadable', filesOf(folderEntry('/films', null)));
  });

  it('is told from a file, and is a file where files have paths', () => {
    const folder = folderEntry('/films', []);
    const made = new File([''], 'films');
    const item = (entry: FileSystemEntry | null) => ({
      kind: 'file',
      webkitGetAsEntry: () => entry,
      getAsFile: () => made,
    });
    const text = { kind: 'string', webkitGetAsEntry: () => null, getAsFile: () => null };
    const items = [item(folder), item(null), item(entryOf('a.mp4')), text] as never;
    const ofFile = { kind: 'file', file: made };
    expect(droppedOf({ items }, false)).toEqual([{ kind: 'folder', folder }, ofFile, ofFile]);
    expect(droppedOf({ items }, true)).toEqual([ofFile, ofFile, ofFile]);
  });
});
