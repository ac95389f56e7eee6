/** What happens to the files of the piece store while they are written, read, closed, cut or gone: no zero is ever booked. */
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
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
const ALL = [0, 1, 2, 3];

function openStore() {
  const dir = tempDir();
  const store = openNodeStore(join(dir, 'node.db'));
  onTestFinished(() => store.close());
  const pieces = new PieceStore(join(dir, 'pieces'), store);
  onTestFinished(() => pieces.close());
  return { dir, store, pieces };
}

/** A store that knows a content and has nothing of it. */
async function withContent() {
  const { dir, store, pieces } = openStore();
  const path = await makeFile(join(dir, 'film.bin'), SIZE);
  const bytes = readFileSync(path);
  const elsewhere = openStore();
  const row = await importFile(elsewhere.store, elsewhere.pieces, DEVICE, () => 1, { path });
  const { contentId } = row;
  store.commit(() => store.contents.insert({ ...row, origin: 'fetched' }));
  const pieceOf = (index: number) =>
    bytes.subarray(index * PIECE_BYTES, index * PIECE_BYTES + pieceLength(SIZE, index));
  const write = (index: number) => pieces.write(contentId, index, pieceOf(index));
  const book = async (index: number) => {
    store.commit(() => pieces.bookPiece(contentId, index));
    await pieces.pieceWritten(contentId, index);
  };
  const isRight = async (index: number) =>
    Buffer.compare(await pieces.read(contentId, index, SIZE), pieceOf(index)) === 0;
  /** Booked pieces that are not what they should be. */
  const wrong = async () => {
    const found: number[] = [];
    for (const index of store.contents.pieces.of(contentId)) if (!(await isRight(index))) found.push(index);
    return found;
  };
  const file = join(dir, 'pieces', `${contentId}.pieces`);
  return { store, pieces, contentId, file, write, book, isRight, wrong };
}

describe('the file of a content', () => {
  it('is made once, whoever wants to read or write it first at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const { store, pieces, contentId, write, book, wrong } = await withContent();
      const reading = pieces.readOrNull(contentId, 0, SIZE);
      await Promise.resolve();
      const writing = [write(0)];
      await Promise.resolve();
      writing.push(write(1));
      await new Promise(setImmediate);
      writing.push(write(2), write(3));
      await Promise.all([reading, ...writing]);
      for (const index of ALL) await book(index);
      expect(store.contents.pieces.of(contentId)).toEqual(ALL);
      expect(await wrong()).toEqual([]);
    }
  });

  it('is never closed under those who read or write it', async () => {
    const { pieces, contentId, write, book, isRight, wrong } = await withContent();
    for (const index of ALL) {
      await write(index);
      await book(index);
    }
    for (const use of [() => isRight(1), () => write(2)]) {
      // Wherever the use is when the file is closed.
      for (let steps = 0; steps < 12; steps++) {
        await isRight(0);
        const using = use();
        for (let i = 0; i < steps; i++) await Promise.resolve();
        await Promise.all([using, pieces.rest(contentId)]);
      }
    }
    expect(await wrong()).toEqual([]);
  });

  it('that vanished is not made anew with holes for what was in it', async () => {
    const { store, pieces, contentId, file, write, book, wrong } = await withContent();
    const lost: number[] = [];
    pieces.cache.usedBy({
      isFetching: () => true,
      leave: async () => undefined,
      readers: () => [],
      lost: (_, indices) => lost.push(...indices),
    });
    for (const index of ALL) {
      await write(index);
      await book(index);
    }
    await pieces.rest(contentId);
    rmSync(file);
    await expectAceRejection('PieceUnknown', pieces.read(contentId, 2, SIZE));
    await pieces.wrong(contentId, 2);
    await write(2);
    await book(2);
    expect(store.contents.pieces.of(contentId)).toEqual([2]);
    expect(lost).toEqual([0, 1, 3]);
    expect(await wrong()).toEqual([]);
  });

  it('that is cut while a piece beyond the cut waits to be booked has no hole for it', async () => {
    const { store, pieces, contentId, write, book, wrong } = await withContent();
    for (const index of [0, 1]) {
      await write(index);
      await book(index);
    }
    await write(2);
    await pieces.cache.setLimit(2.5 * PIECE_BYTES);
    expect(store.contents.pieces.of(contentId)).toEqual([0]);
    expect(store.commit(() => pieces.bookPiece(contentId, 2))).toBe(false);
    await write(3);
    await book(3);
    expect(store.contents.pieces.of(contentId)).toEqual([0, 3]);
    expect(await wrong()).toEqual([]);
  });

  it('that is removed while a piece waits to be booked does not have it in the books', async () => {
    const { store, pieces, contentId, write, book } = await withContent();
    await write(0);
    await book(0);
    await write(1);
    await pieces.cache.setLimit(PIECE_BYTES / 2);
    expect(store.commit(() => pieces.bookPiece(contentId, 1))).toBe(false);
    expect(store.contents.pieces.of(contentId)).toEqual([]);
  });

  it('gets no probe over a piece that was written before its second copy failed', async () => {
    const { pieces, contentId, file, write, book, wrong } = await withContent();
    await write(1);
    await pieces.rest(contentId);
    renameSync(file, `${file}.aside`);
    mkdirSync(file);
    await expect(write(1)).rejects.toThrow(/EISDIR/);
    rmdirSync(file);
    renameSync(`${file}.aside`, file);
    await pieces.ensureWritable();
    await book(1);
    expect(await wrong()).toEqual([]);
  });
});
