import type { PieceStore } from '../content/piece-store.ts';
import { verifiedPiece } from '../content/verified-pieces.ts';
import type { Transfer } from './transfer.ts';

/**
 * A piece for who reads while it comes: waits for it; one that the disk has lost, or has wrong, is fetched again.
 * @throws AceError `PeerClosed` when the transfer is stopped; as `verifiedPiece`; the reason of `signal`
 */
export async function readerPiece(
  pieces: PieceStore,
  transfer: Transfer,
  pieceIndex: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for (;;) {
    await transfer.piece(pieceIndex, signal);
    const piece = await verifiedPiece(pieces, transfer.contentId, transfer.file, pieceIndex);
    if (piece) return piece.bytes;
    await pieces.wrong(transfer.contentId, pieceIndex);
    transfer.forget(pieceIndex);
  }
}
