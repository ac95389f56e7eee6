/** Whether a file still has the bytes that it was imported with. */
import { createReadStream } from 'node:fs';
import { sameBytes } from '../../shared/bytes.ts';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { stampOf } from './file-stamp.ts';
import { chunkHashesOf, pieceHash, type TransportFile } from './transport-file.ts';

/** @returns the stamp of the file that was read; `null` when a byte differs, or it changed while it was read */
export async function stampOfSame(
  path: string,
  { pieceHashes, sizeBytes }: Pick<TransportFile, 'pieceHashes' | 'sizeBytes'>,
): Promise<string | null> {
  const before = await stampOf(path);
  let pieceIndex = 0;
  let doneBytes = 0;
  for await (const piece of wholePieces(path)) {
    const expected = pieceHashes[pieceIndex];
    if (!expected || !sameBytes(pieceHash(chunkHashesOf(piece)), expected)) return null;
    pieceIndex += 1;
    doneBytes += piece.byteLength;
  }
  return doneBytes === sizeBytes && before === (await stampOf(path)) ? before : null;
}

async function* wholePieces(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const data of createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
    rest = rest.byteLength === 0 ? data : Buffer.concat([rest, data]);
    for (; rest.byteLength >= PIECE_BYTES; rest = rest.subarray(PIECE_BYTES))
      yield rest.subarray(0, PIECE_BYTES);
  }
  if (rest.byteLength > 0) yield rest;
}
