/**
 * Stored pieces for those who must never get a wrong byte. What is booked was right when it was written; since then its
 * file may have been changed, cut or replaced by anybody, so it is hashed when it is read.
 */
import { sameBytes } from '../../shared/bytes.ts';
import { pieceLength } from '../../shared/economy/units.ts';
import type { PieceStore } from './piece-store.ts';
import { chunkHashesOf, pieceHash, type TransportFile } from './transport-file.ts';

export interface VerifiedPiece {
  readonly bytes: Uint8Array;
  /** SHA-256 of each chunk, one after another. */
  readonly chunkHashes: Uint8Array;
}

/**
 * A piece as it lies on the disk, `null` when it is not there or not what it should be.
 * @param target has the piece's length
 * @throws AceError `FileUnreadable`, `ContentChanged`, `FileMissing` when the disk does not say
 */
export async function verifiedPiece(
  pieces: PieceStore,
  contentId: string,
  file: TransportFile,
  pieceIndex: number,
  target?: Uint8Array,
): Promise<VerifiedPiece | null> {
  const bytes = await pieces.readOrNull(contentId, pieceIndex, file.sizeBytes, target);
  const expected = file.pieceHashes[pieceIndex];
  // What is booked is the length that the transport file gives: anything else is not this piece.
  if (!expected || bytes?.byteLength !== pieceLength(file.sizeBytes, pieceIndex)) return null;
  const chunkHashes = chunkHashesOf(bytes);
  return sameBytes(pieceHash(chunkHashes), expected) ? { bytes, chunkHashes } : null;
}
