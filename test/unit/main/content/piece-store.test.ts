import {
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { importFile } from '../../../../main/content/import-file.ts';
import { PieceStore } from '../../../../main/content/piece-store.ts';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { deviceFromSeed } from '../../../../main/wallet/device.ts';
import { PIECE_BYTES, pieceLength } from '../../../../shared/economy/units.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { makeFile } from '../../../helpers/files.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const DEVICE = deviceFromSeed(new Uint8Array(32).fill(7));
const SIZE = 3 * PIECE_BYTES + 100;

/** A node's books and pieces in a folder of their own; `reopen` is a restart. */
function openStore() {
  const dir = tempDir();
  const store = openNodeStore(join(dir, 'node.db'));
  onTestFinished(() => store.close());
  const piecesDir = join(dir, 'pieces');
  const open = () => {
    const pieces = new PieceStore(piecesDir, store);
    onTestFinished(() => pieces.close());
    return pieces;
  };
  return { dir, store, piecesDir, pieces: open(), reopen: open };
}

/** The same, with a content whose pieces were fetched and booked but not flushed. */
async function withUnsynced() {
  const opened = openStore();
  const { dir, store, pieces, piecesDir } = opened;
  const path = await makeFile(join(dir, 'film.bin'), SIZE);
  const bytes = readFileSync(path);
  // What an import makes elsewhere, this node fetches.
  const elsewhere = openStore();
  const row = await importFile(elsewhere.store, elsewhere.pieces, DEVICE, () => 1, { path });
  const { contentId } = row;
  store.commit(() => store.contents.insert({ ...row, origin: 'fetched' }));
  for (let i = 0; i < 4; i++) {
    await pieces.write(contentId, i, bytes.subarray(i * PIECE_BYTES, i * PIECE_BYTES + pieceLength(SIZE, i)));
    store.commit(() => pieces.bookPiece(contentId, i));
  }
  return { ...opened, contentId, bytes, file: join(piecesDir, `${contentId}.pieces`) };
}

describe('PieceStore', () => {
  it('keeps every piece that is whole after a power cut, and checks it only once', async () => {
    const { store, reopen, contentId, bytes } = await withUnsynced();
    const pieces = reopen();
    expect(await pieces.recover()).toEqual({ checked: 4, lost: 0 });
    expect(store.contents.pieces.of(contentId)).toEqual([0, 1, 2, 3]);
    expect(Buffer.compare(await pieces.read(contentId, 3, SIZE), bytes.subarray(3 * PIECE_BYTES))).toBe(0);
    expect(await reopen().recover()).toEqual({ checked: 0, lost: 0 });
  });

  it('forgets exactly the pieces that a power cut damaged', async () => {
    const { store, reopen, contentId, file } = await withUnsynced();
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.from([1, 2, 3]), 0, 3, PIECE_BYTES + 70_000);
    expect(await reopen().recover()).toEqual({ checked: 4, lost: 1 });
    expect(store.contents.pieces.of(contentId)).toEqual([0, 2, 3]);
  });

  it('forgets what a cut file does not hold any more', async () => {
    const { store, reopen, contentId, file } = await withUnsynced();
    truncateSync(file, 2 * PIECE_BYTES + 5);
    expect(await reopen().recover()).toEqual({ checked: 4, lost: 2 });
    expect(store.contents.pieces.of(contentId)).toEqual([0, 1]);
  });

  it('forgets everything when the file is gone', async () => {
    const { store, reopen, contentId, file } = await withUnsynced();
    truncateSync(file, 0);
    expect(await reopen().recover()).toEqual({ checked: 4, lost: 4 });
    expect(store.contents.pieces.of(contentId)).toEqual([]);
  });

  it('does not check again what was flushed', async () => {
    const { pieces, reopen, contentId } = await withUnsynced();
    for (const i of [0, 1, 2]) await pieces.pieceWritten(contentId, i);
    await pieces.sync(contentId);
    expect(await reopen().recover()).toEqual({ checked: 1, lost: 0 });
  });

  it('refuses to read a piece that the disk has lost', async () => {
    const { pieces, contentId, file } = await withUnsynced();
    truncateSync(file, PIECE_BYTES + 10);
    expect(await pieces.read(contentId, 0, SIZE)).toHaveLength(PIECE_BYTES);
    await expectAceRejection('PieceUnknown', pieces.read(contentId, 1, SIZE));
  });

  it('adopts a whole file under the content’s name, over what was there', async () => {
    const { pieces, piecesDir } = openStore();
    await pieces.write('some-content', 0, Buffer.from('before'));
    const path = pieces.wholeFiles.temporaryPath();
    writeFileSync(path, 'after!');
    await pieces.wholeFiles.adopt('some-content', path);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(piecesDir)).toEqual(['some-content.pieces']);
    expect(Buffer.from(await pieces.read('some-content', 0, 6)).toString()).toBe('after!');
  });

  it('removes what killed imports and deletions left, and nothing else', async () => {
    const { pieces, piecesDir, reopen } = openStore();
    writeFileSync(pieces.wholeFiles.temporaryPath(), 'half');
    await pieces.write('deleted-content', 0, Buffer.from('whole'));
    writeFileSync(join(piecesDir, 'notes.txt'), 'the user’s');
    reopen();
    expect(readdirSync(piecesDir)).toEqual(['notes.txt']);
  });

  it('names a write that fails', async () => {
    const { pieces, piecesDir } = openStore();
    await mkdir(join(piecesDir, 'folder.pieces'));
    await expect(pieces.write('folder', 0, Buffer.from('x'))).rejects.toThrow(/EISDIR/);
    await expectAceRejection('FileUnreadable', pieces.read('folder', 0, 1));
  });
});

describe('a disk that refuses a piece', () => {
  /** A content whose first write fails, for want of a file that can be one. */
  async function refused() {
    const opened = await withUnsynced();
    const { dir, store, pieces, piecesDir } = opened;
    const row = await importFile(store, pieces, DEVICE, () => 1, {
      path: await makeFile(join(dir, 'other.bin'), SIZE, 'other'),
      byReference: true,
    });
    const { contentId } = row;
    store.commit(() => {
      store.contents.setFile(contentId, { path: null, stamp: '' });
      for (let i = 0; i < 4; i++) store.contents.pieces.remove(contentId, i);
    });
    await pieces.fileChanged(contentId);
    const file = join(piecesDir, `${contentId}.pieces`);
    await mkdir(file);
    const bytes = new Uint8Array(PIECE_BYTES).fill(9);
    await expect(pieces.write(contentId, 1, bytes)).rejects.toThrow(/EISDIR/);
    return { ...opened, contentId, file, bytes };
  }

  it('is tried again with a probe, until it takes one', async () => {
    const { pieces, file } = await refused();
    await expect(pieces.ensureWritable()).rejects.toThrow(/EISDIR/);
    rmdirSync(file);
    await pieces.ensureWritable();
    await pieces.ensureWritable();
  });

  it('never has a probe put in the place of a piece that comes at the same time', async () => {
    for (const order of ['probe', 'write'] as const) {
      const { pieces, contentId, file, bytes } = await refused();
      rmdirSync(file);
      const probing = order === 'probe' ? pieces.ensureWritable() : null;
      const writing = pieces.write(contentId, 1, bytes);
      await Promise.all([probing ?? pieces.ensureWritable(), writing]);
      expect(Buffer.compare(await pieces.read(contentId, 1, SIZE), bytes)).toBe(0);
      // Written, and not booked yet: still no place for a probe.
      await pieces.ensureWritable();
      expect(Buffer.compare(await pieces.read(contentId, 1, SIZE), bytes)).toBe(0);
    }
  });
});

describe('importFile', () => {
  it.each([
    [1, 1],
    [PIECE_BYTES - 1, 1],
    [PIECE_BYTES, 1],
    [PIECE_BYTES + 1, 2],
  ])('makes of %i bytes %i flushed pieces that are the file', async (sizeBytes, count) => {
    const { dir, store, pieces, piecesDir } = openStore();
    const path = await makeFile(join(dir, 'film.mp4'), sizeBytes);
    const row = await importFile(store, pieces, DEVICE, () => 1, { path });
    expect(row).toMatchObject({ sizeBytes, havePieces: count, haveLastPiece: true, mimeType: 'video/mp4' });
    expect(store.contents.pieces.unsynced()).toEqual([]);
    expect(readdirSync(piecesDir)).toEqual([`${row.contentId}.pieces`]);
    expect(readFileSync(join(piecesDir, `${row.contentId}.pieces`)).equals(readFileSync(path))).toBe(true);
  });

  it('gives the same file the same content, and says how far it is', async () => {
    const { dir, store, pieces } = openStore();
    const path = await makeFile(join(dir, 'film.bin'), SIZE);
    const steps: number[] = [];
    const onProgress = (doneBytes: number, sizeBytes: number) => {
      expect(sizeBytes).toBe(SIZE);
      steps.push(doneBytes);
    };
    const first = await importFile(store, pieces, DEVICE, () => 1, { path, onProgress });
    const second = await importFile(store, pieces, DEVICE, () => 2, { path });
    expect({ ...second, fileStamp: '' }).toEqual({ ...first, fileStamp: '' });
    expect(steps.at(-1)).toBe(SIZE);
    expect(steps.toSorted((a, b) => a - b)).toEqual(steps);
  });

  it.each([
    ['missing', 'FileMissing', (dir: string) => join(dir, 'gone.bin')],
    ['a folder', 'FileUnreadable', (dir: string) => dir],
    [
      'empty',
      'ContentEmpty',
      (dir: string) => {
        writeFileSync(join(dir, 'empty.bin'), '');
        return join(dir, 'empty.bin');
      },
    ],
  ] as const)('refuses a path that is %s, and leaves nothing', async (_what, code, path) => {
    const { dir, store, pieces, piecesDir } = openStore();
    await expectAceRejection(
      code,
      importFile(store, pieces, DEVICE, () => 1, { path: path(dir) }),
    );
    expect(readdirSync(piecesDir)).toEqual([]);
    expect(store.contents.list()).toEqual([]);
  });

  it('refuses a name that others would refuse', async () => {
    const { dir, store, pieces, piecesDir } = openStore();
    const path = await makeFile(join(dir, 'film.bin'), 10);
    for (const name of ['', 'a/b', 'a\\b', 'x'.repeat(256)]) {
      await expectAceRejection(
        'InvalidInput',
        importFile(store, pieces, DEVICE, () => 1, { path, name }),
      );
    }
    expect(readdirSync(piecesDir)).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')(
    'gives a file with a backslash in its name one that others take',
    async () => {
      const { dir, store, pieces } = openStore();
      const path = await makeFile(join(dir, 'a\\b.bin'), 10);
      expect((await importFile(store, pieces, DEVICE, () => 1, { path })).name).toBe('a_b.bin');
    },
  );
});
