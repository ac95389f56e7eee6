import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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
const UNITS = 12;
const SIZE = UNITS * PIECE_BYTES - 300;
const LIMIT = 6 * PIECE_BYTES;

/** A store with a content that is twice its limit, and somebody who reads it. */
async function openWindow() {
  const dir = tempDir();
  const store = openNodeStore(join(dir, 'node.db'));
  onTestFinished(() => store.close());
  const path = await makeFile(join(dir, 'film.bin'), SIZE);
  const bytes = readFileSync(path);
  const reader = { at: 0, reads: true };
  const lost: number[] = [];
  const open = async () => {
    const pieces = new PieceStore(join(dir, 'pieces'), store);
    onTestFinished(() => pieces.close());
    const recovered = await pieces.recover();
    pieces.cache.usedBy({
      isFetching: () => reader.reads,
      leave: async () => undefined,
      readers: () => (reader.reads ? [reader.at] : []),
      lost: (_contentId, indices) => lost.push(...indices),
    });
    await pieces.cache.setLimit(LIMIT);
    return { pieces, recovered };
  };
  const { pieces } = await open();
  const row = await importFile(store, pieces, DEVICE, () => 1, { path, byReference: true });
  const { contentId } = row;
  store.commit(() => {
    store.contents.setFile(contentId, { path: null, stamp: '' });
    store.contents.setStamp(contentId, null);
    for (let i = 0; i < UNITS; i++) store.contents.pieces.remove(contentId, i);
  });
  await pieces.fileChanged(contentId);
  const pieceOf = (index: number) =>
    bytes.subarray(index * PIECE_BYTES, index * PIECE_BYTES + pieceLength(SIZE, index));
  /** As a piece comes: asked for, written, booked. */
  const fetchPiece = async (into: PieceStore, index: number) => {
    into.cache.admit(contentId);
    const release = await into.cache.reserve(contentId, PIECE_BYTES);
    await into.write(contentId, index, pieceOf(index));
    store.commit(() => into.bookPiece(contentId, index));
    await into.pieceWritten(contentId, index);
    release(pieceLength(SIZE, index));
  };
  const folder = join(dir, 'pieces', `${contentId}.loose`);
  return { store, pieces, open, contentId, fetchPiece, pieceOf, reader, lost, folder };
}

const names = (folder: string) =>
  readdirSync(folder)
    .map(Number)
    .sort((a, b) => a - b);

describe('a content that is larger than the limit', () => {
  it('has a file for each piece, and those behind the reader go, the least recently used first', async () => {
    const { store, pieces, contentId, fetchPiece, pieceOf, reader, lost, folder } = await openWindow();
    for (let index = 0; index < 6; index++) await fetchPiece(pieces, index);
    expect(names(folder)).toEqual([0, 1, 2, 3, 4, 5]);
    reader.at = 3;
    await pieces.read(contentId, 0, SIZE);
    await fetchPiece(pieces, 6);
    await fetchPiece(pieces, 7);
    // The first was read last.
    expect(lost).toEqual([1, 2]);
    expect(names(folder)).toEqual([0, 3, 4, 5, 6, 7]);
    expect(store.contents.pieces.of(contentId)).toEqual([0, 3, 4, 5, 6, 7]);
    expect(pieces.cache.usedBytes).toBe(LIMIT);
    for (const index of names(folder))
      expect(Buffer.compare(await pieces.read(contentId, index, SIZE), pieceOf(index))).toBe(0);
    await expectAceRejection('PieceUnknown', pieces.read(contentId, 1, SIZE));
  });

  it('never loses what its reader needs next: there is no room then', async () => {
    const { pieces, fetchPiece, reader, lost } = await openWindow();
    for (let index = 0; index < 6; index++) await fetchPiece(pieces, index);
    reader.at = 0;
    await fetchPiece(pieces, 6);
    // Five are its own, one is to spare.
    expect(lost).toEqual([5]);
    reader.at = 20;
    await fetchPiece(pieces, 7);
    expect(lost).toHaveLength(2);
  });

  it('is not refused to a reader that comes back while nothing can go', async () => {
    const { pieces, contentId, fetchPiece, reader } = await openWindow();
    await fetchPiece(pieces, 0);
    reader.reads = false;
    await expectAceRejection(
      'CacheFull',
      Promise.resolve().then(() => pieces.cache.admit(contentId)),
    );
    reader.reads = true;
    pieces.cache.admit(contentId);
    expect(pieces.cache.isWindow(contentId)).toBe(true);
  });

  it('is as it was left after a clean stop, and needs no check', async () => {
    const { store, pieces, open, contentId, fetchPiece } = await openWindow();
    for (const index of [0, 1, 11]) await fetchPiece(pieces, index);
    await pieces.close();
    expect(store.contents.file(contentId)?.fileStamp).toMatch(/^none 3:/);
    const again = await open();
    expect(again.recovered).toEqual({ checked: 0, lost: 0 });
    expect(again.pieces.cache.usedBytes).toBe(3 * PIECE_BYTES);
  });

  it('is checked after a kill where it was not flushed, and forgets what is wrong or gone', async () => {
    const { store, pieces, open, contentId, fetchPiece, folder } = await openWindow();
    for (const index of [0, 1, 2, 3]) await fetchPiece(pieces, index);
    await pieces.sync(contentId);
    for (const index of [4, 5]) await fetchPiece(pieces, index);
    writeFileSync(join(folder, '5'), 'torn');
    writeFileSync(join(folder, '7'), 'nobody booked it');
    writeFileSync(join(folder, '3.9'), 'half');
    const again = await open();
    expect(again.recovered).toEqual({ checked: 2, lost: 1 });
    expect(store.contents.pieces.of(contentId)).toEqual([0, 1, 2, 3, 4]);
    expect(existsSync(join(folder, '7'))).toBe(false);
    expect(existsSync(join(folder, '3.9'))).toBe(false);
  });

  it('is hashed whole when somebody else changed one of its files', async () => {
    const { store, pieces, open, contentId, fetchPiece, folder } = await openWindow();
    for (const index of [0, 1, 2]) await fetchPiece(pieces, index);
    await pieces.close();
    writeFileSync(join(folder, '1'), new Uint8Array(PIECE_BYTES));
    expect((await open()).recovered).toEqual({ checked: 3, lost: 1 });
    expect(store.contents.pieces.of(contentId)).toEqual([0, 2]);
  });

  it('is deleted with all its files', async () => {
    const { pieces, contentId, fetchPiece, folder } = await openWindow();
    await fetchPiece(pieces, 0);
    await pieces.delete(contentId);
    expect(existsSync(folder)).toBe(false);
    expect(pieces.cache.usedBytes).toBe(0);
  });

  it('writes a booked piece once, however often it comes', async () => {
    const { pieces, contentId, fetchPiece, pieceOf, folder } = await openWindow();
    await fetchPiece(pieces, 2);
    const before = statSync(join(folder, '2')).ino;
    await pieces.write(contentId, 2, pieceOf(2));
    expect(statSync(join(folder, '2')).ino).toBe(before);
    expect(pieces.cache.usedBytes).toBe(PIECE_BYTES);
  });

  it('names the piece that the disk refuses', async () => {
    const { pieces, contentId, fetchPiece, pieceOf, folder } = await openWindow();
    await fetchPiece(pieces, 0);
    mkdirSync(join(folder, '4'));
    writeFileSync(join(folder, '4', 'in the way'), '');
    await expect(pieces.write(contentId, 4, pieceOf(4))).rejects.toThrow(/rename.*\/4'/);
    await pieces.ensureWritable();
  });
});
