/**
 * Puts pieces together out of chunks, each checked as it arrives: chunk hashes against the piece's hash, data against
 * its chunk hash. Nothing wrong ever becomes a piece. Buffers are used again, so a long stream makes no garbage.
 */
import type { Uint8ArrayList } from 'uint8arraylist';
import { sameBytes } from '../../shared/bytes.ts';
import { CHUNK_BYTES, PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { pieceHash } from '../content/transport-file.ts';
import { sha256 } from '../util/sha256.ts';

const HASH_BYTES = 32;

export interface ExpectedPiece {
  readonly pieceIndex: number;
  readonly lengthBytes: number;
  /** Of the transport file. */
  readonly hash: Uint8Array;
}

interface Assembly {
  readonly expected: ExpectedPiece;
  /** SHA-256 of each chunk, already checked against the piece's hash. */
  readonly hashes: Uint8Array;
  readonly bytes: Uint8Array;
  receivedBytes: number;
}

export class PieceReceiver {
  #current: Assembly | null = null;
  readonly #spare: Uint8Array[] = [];

  get busy(): boolean {
    return this.#current !== null;
  }

  /** A piece follows. @throws AceError `PieceCorrupt` when its chunk hashes are not those of the piece */
  begin(expected: ExpectedPiece, chunkHashes: Uint8Array): void {
    const chunks = Math.ceil(expected.lengthBytes / CHUNK_BYTES);
    if (chunkHashes.byteLength !== chunks * HASH_BYTES || !sameBytes(pieceHash(chunkHashes), expected.hash)) {
      throw corrupt(expected.pieceIndex);
    }
    const buffer = this.#spare.pop() ?? new Uint8Array(PIECE_BYTES);
    const bytes = buffer.subarray(0, expected.lengthBytes);
    this.#current = { expected, hashes: chunkHashes, bytes, receivedBytes: 0 };
  }

  /** Takes the next chunk; the whole piece once it was the last. @throws AceError `PieceCorrupt`, `MessageUnexpected` */
  add(data: Uint8Array | Uint8ArrayList): Uint8Array | null {
    const current = this.#current;
    if (!current) throw new AceError('MessageUnexpected', 'A chunk of no piece', { reaction: 'drop-peer' });
    const { expected, hashes, bytes, receivedBytes } = current;
    const index = receivedBytes / CHUNK_BYTES;
    if (data.byteLength !== Math.min(CHUNK_BYTES, expected.lengthBytes - receivedBytes)) {
      throw corrupt(expected.pieceIndex);
    }
    const chunk = bytes.subarray(receivedBytes, receivedBytes + data.byteLength);
    copyInto(chunk, data);
    if (!sameBytes(sha256(chunk), hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES))) {
      throw corrupt(expected.pieceIndex);
    }
    current.receivedBytes += data.byteLength;
    if (current.receivedBytes < expected.lengthBytes) return null;
    this.#current = null;
    return bytes;
  }

  /** The piece is on the disk: its buffer may be filled again. */
  recycle(piece: Uint8Array): void {
    this.#spare.push(new Uint8Array(piece.buffer));
  }
}

function copyInto(target: Uint8Array, data: Uint8Array | Uint8ArrayList): void {
  if (data instanceof Uint8Array) {
    target.set(data);
    return;
  }
  let offset = 0;
  for (const part of data) {
    target.set(part, offset);
    offset += part.byteLength;
  }
}

function corrupt(pieceIndex: number): AceError {
  return new AceError('PieceCorrupt', `Piece ${pieceIndex} came with wrong bytes; it is not paid`, {
    reaction: 'drop-peer',
  });
}
