import { afterEach, describe, expect, it, vi } from 'vitest';
import { errorWords } from '../../../../renderer/format/error-words.ts';
import { Importer } from '../../../../renderer/state/importer.svelte.ts';
import { NodeState } from '../../../../renderer/state/node.svelte.ts';
import { AceError } from '../../../../shared/errors.ts';
import type { ContentView } from '../../../../shared/rpc/content.ts';
import { TestNode } from './test-node.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

function anImporter() {
  const node = new TestNode();
  const state = new NodeState(node.client);
  return { node, state, importer: new Importer(state, () => 'token') };
}

describe('Importer', () => {
  it('answers when the node has imported the file of a path', async () => {
    const { node, importer } = anImporter();
    const added = importer.addPath('/film.mp4');
    node.answer('importFile', {});
    expect(await added).toBe(true);
    expect(importer.failure).toBeNull();
    expect(node.inputs('importFile')).toEqual([{ path: '/film.mp4' }]);
  });

  it('says why a file was refused, until that is cleared', async () => {
    const { node, importer } = anImporter();
    const added = importer.addPath('/gone.mp4');
    node.refuse('importFile', 'FileMissing');
    expect(await added).toBe(false);
    expect(importer.failure).not.toBeNull();
    importer.clear();
    expect(importer.failure).toBeNull();
  });

  it('goes on after a file that fails, and names it', async () => {
    vi.stubGlobal('aceNode', { pathOf: (file: File) => `/home/${file.name}` });
    const { node, importer } = anImporter();
    const added = importer.addFiles(['a.mp4', 'zero.mp4', 'b.mp4'].map((name) => new File([''], name)));
    for (const [i, code] of [null, 'ContentEmpty', null].entries()) {
      await expect.poll(() => node.of('importFile').length).toBe(i + 1);
      if (code === null) node.answer('importFile', { contentId: String(i) });
      else node.refuse('importFile', 'ContentEmpty');
    }
    await added;
    const [report] = importer.reports;
    expect(report).toMatchObject({ name: null, added: 2, known: 0 });
    expect(report?.notAdded.map(({ name }) => name)).toEqual(['zero.mp4']);
    expect(importer.failure).toBeNull();
  });

  it('imports what is in a folder', async () => {
    const { node, importer } = anImporter();
    const added = importer.addPath('/films');
    node.refuse('importFile', 'FileUnreadable', { reason: 'folder' });
    await expect.poll(() => node.of('filesIn').length).toBe(1);
    node.answer('filesIn', { files: ['/films/a.mp4'], leftOut: [] });
    await expect.poll(() => node.of('importFile').length).toBe(2);
    node.answer('importFile', {});
    expect(await added).toBe(true);
    expect(node.inputs('importFile')).toEqual([{ path: '/films' }, { path: '/films/a.mp4' }]);
  });

  it('reports what became of a folder, with the reason of each file that was not added, until that is dismissed', async () => {
    const { node, state, importer } = anImporter();
    state.contents.set([{ contentId: 'old' } as ContentView]);
    const added = importer.addPath('/home/films/');
    node.refuse('importFile', 'FileUnreadable', { reason: 'folder' });
    await expect.poll(() => node.of('filesIn').length).toBe(1);
    node.answer('filesIn', {
      files: ['/home/films/new.mp4', '/home/films/old.mp4', '/home/films/deep/zero.mp4'],
      leftOut: [
        { path: '/home/films/notes.txt', why: 'no-media' },
        { path: '/home/films/secret', why: 'unreadable' },
      ],
    });
    await expect.poll(() => node.of('importFile').length).toBe(2);
    expect(importer.runs).toEqual([{ id: expect.any(Number), done: 0, total: 3 }]);
    node.answer('importFile', { contentId: 'new' });
    await expect.poll(() => node.of('importFile').length).toBe(3);
    node.answer('importFile', { contentId: 'old' });
    await expect.poll(() => node.of('importFile').length).toBe(4);
    node.refuse('importFile', 'ContentEmpty');
    expect(await added).toBe(false);
    const [report] = importer.reports;
    expect(report).toMatchObject({ name: 'films', added: 1, known: 1, failed: 1 });
    expect(report?.notAdded.map(({ name, words }) => [name, words.what])).toEqual([
      ['notes.txt', 'Neither video nor sound: by itself it can be imported.'],
      ['secret', 'The file cannot be read.'],
      ['deep/zero.mp4', 'The file is empty.'],
    ]);
    expect([importer.runs, importer.failure]).toEqual([[], null]);
    importer.clear();
    expect(importer.reports).toHaveLength(1);
    importer.dismiss(report?.id ?? 0);
    expect(importer.reports).toEqual([]);
  });

  it('says why a folder cannot be looked into', async () => {
    const { node, importer } = anImporter();
    const added = importer.addPath('/films');
    node.refuse('importFile', 'FileUnreadable', { reason: 'folder' });
    await expect.poll(() => node.of('filesIn').length).toBe(1);
    node.refuse('filesIn', 'StoreFailed');
    expect(await added).toBe(false);
    expect(importer.failure).toEqual(errorWords(new AceError('StoreFailed', '')));
  });

  it('tries no other file when the first failed with what stops all, and names each', async () => {
    vi.stubGlobal('aceNode', { pathOf: (file: File) => `/home/${file.name}` });
    const { node, importer } = anImporter();
    const added = importer.addFiles(['a.mp4', 'b.mp4', 'c.mp4'].map((name) => new File([''], name)));
    node.refuse('importFile', 'StoreFailed');
    await added;
    expect(node.of('importFile')).toHaveLength(1);
    expect(importer.reports[0]?.notAdded.map(({ name }) => name)).toEqual(['a.mp4', 'b.mp4', 'c.mp4']);
  });

  it('imports dropped files by their path where they have one', async () => {
    vi.stubGlobal('aceNode', { pathOf: (file: File) => `/home/${file.name}` });
    const { node, importer } = anImporter();
    const added = importer.addFiles([new File([''], 'a.mp4')]);
    node.answer('importFile', {});
    await added;
    expect(node.inputs('importFile')).toEqual([{ path: '/home/a.mp4' }]);
    expect(importer.uploads).toEqual([]);
  });

  it('opens the dialog of the system in the desktop only, and imports what was chosen', async () => {
    const { node, state, importer } = anImporter();
    expect(await importer.choose()).toBe(false);
    state.shell = { kind: 'desktop' } as never;
    const chosen = importer.choose();
    node.answer('chooseFiles', { paths: ['/a', '/b'] });
    await expect.poll(() => node.of('importFile').length).toBe(1);
    node.answer('importFile', {});
    await expect.poll(() => node.of('importFile').length).toBe(2);
    node.answer('importFile', {});
    expect(await chosen).toBe(true);
    expect(node.inputs('importFile')).toEqual([{ path: '/a' }, { path: '/b' }]);
  });
});
