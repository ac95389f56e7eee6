import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { importFile } from '../../../../main/content/import-file.ts';
import { PieceStore } from '../../../../main/content/piece-store.ts';
import { readTransportFile } from '../../../../main/content/transport-file.ts';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { PieceLoader } from '../../../../main/pieces/piece-loader.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { PIECE_BYTES } from '../../../../shared/economy/units.ts';
import { makeFile } from '../../../helpers/files.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const SIZE = 4 * PIECE_BYTES + 10;

/** A loader on an imported file; `load` gives a piece, `right` says whether bytes are those of a piece. */
async function withFile() {
  const dir = tempDir();
  const store = openNodeStore(join(dir, 'node.db'));
  const pieces = new PieceStore(join(dir, 'pieces'), store);
  onTestFinished(async () => {
    await pieces.close();
    store.close();
  });
  const path = await makeFile(join(dir, 'film.bin'), SIZE);
  const row = await importFile(store, pieces, createDevice(), () => 1, { path });
  const file = readTransportFile(row.contentId, row.transport);
  const original = readFileSync(path);
  const loader = new PieceLoader(pieces);
  const load = async (pieceIndex: number) => {
    const piece = await loader.take({ contentId: row.contentId, pieceIndex }, file);
    if (!piece) throw new Error(`Piece ${pieceIndex} is not there`);
    return piece;
  };
  const right = (bytes: Uint8Array, pieceIndex: number) =>
    original.subarray(pieceIndex * PIECE_BYTES, (pieceIndex + 1) * PIECE_BYTES).equals(bytes);
  return { file, row, loader, load, right };
}

describe('PieceLoader', () => {
  it('reads pieces as they are, the short last one too', async () => {
    const { load, right } = await withFile();
    const pieces = [await load(0), await load(3), await load(4)];
    expect(pieces.map(({ bytes }) => bytes.byteLength)).toEqual([PIECE_BYTES, PIECE_BYTES, 10]);
    expect([0, 3, 4].map((index, i) => right(pieces[i]?.bytes ?? new Uint8Array(), index))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('leaves a piece alone until it and two more are paid for, and then uses its memory again', async () => {
    const { loader, load, right } = await withFile();
    const first = await load(0);
    loader.sending(first, PIECE_BYTES);
    const second = await load(1);
    loader.sending(second, 2 * PIECE_BYTES);
    expect([right(first.bytes, 0), right(second.bytes, 1)]).toEqual([true, true]);

    loader.paid(2 * PIECE_BYTES);
    const early = await load(3);
    expect(early.bytes.buffer).not.toBe(first.bytes.buffer);
    loader.paid(3 * PIECE_BYTES);
    const third = await load(2);
    expect(third.bytes.buffer).toBe(first.bytes.buffer);
    expect([right(third.bytes, 2), right(second.bytes, 1)]).toEqual([true, true]);
  });

  it('leaves what was sent on a channel alone when another channel begins to count', async () => {
    const { loader, load, right } = await withFile();
    const first = await load(0);
    loader.sending(first, 3 * PIECE_BYTES);
    loader.forgetSent();
    loader.paid(5 * PIECE_BYTES);
    const second = await load(1);
    expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
    expect(right(first.bytes, 0)).toBe(true);
  });

  it('gives nothing for bytes that are not the piece', async () => {
    const { loader, row, file } = await withFile();
    const wrong = { ...file, pieceHashes: [...file.pieceHashes].reverse() };
    expect(await loader.take({ contentId: row.contentId, pieceIndex: 0 }, wrong)).toBeNull();
    expect(await loader.take({ contentId: 'unknown', pieceIndex: 0 }, file)).toBeNull();
  });
});
