/**
 * How many pieces a viewer gathers before it books and pays them. A commit waits for the disk whatever it holds, so a few
 * pieces together cost as much as one; but what is not paid keeps the provider's window shut. Pure: no clock, no I/O.
 */
import { DEFAULT_WINDOW_CAP_UNITS, windowUnits } from '../../shared/channel/payee.ts';

/** A commit for so many costs each piece little enough; the provider's window has room for two such groups. */
const MAX_GATHERED_PIECES = 4;
/** Arrives and is booked while the others are under way. */
const SPARE_UNITS = 2;
/** A piece that is whole waits for the next ones no longer than this. */
export const GATHER_MS = 50;

export interface Gathering {
  /** Paid on the channel; `null` between devices of one account, where no window holds anybody back. */
  readonly paidUnits: number | null;
  /** From a message to its answer. */
  readonly roundTripMs: number;
  /** From the end of one piece to the end of the next. */
  readonly pieceMs: number;
}

/**
 * Pieces to book together: never so many that the provider would have to stop for want of the payment, as far as its
 * window is the one that this network's providers have.
 */
export function gatheredPieces({ paidUnits, roundTripMs, pieceMs }: Gathering): number {
  if (paidUnits === null) return MAX_GATHERED_PIECES;
  const window = windowUnits(paidUnits, DEFAULT_WINDOW_CAP_UNITS);
  const underWay = Math.ceil(roundTripMs / Math.max(1, pieceMs));
  const most = Math.min(MAX_GATHERED_PIECES, Math.floor(window / 2), window - underWay - SPARE_UNITS);
  return Math.max(1, most);
}
