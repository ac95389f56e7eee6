import { afterEach, describe, expect, it, vi } from 'vitest';
import { Importer } from '../../../../renderer/state/importer.svelte.ts';
import { NodeState } from '../../../../renderer/state/node.svelte.ts';
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
      if (code === null) node.answer('importFile', {});
      else node.refuse('importFile', 'ContentEmpty');
    }
    await added;
    expect(importer.failure?.what).toBe('2 imported, 1 not.');
    expect(importer.failure?.next).toMatch(/^zero\.mp4: /);
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
