/**
 * Compares what the two sides of a channel hold: when a session opens it, and when a checkpoint comes. The name of the
 * difference says what there is to do about it. Pure.
 *
 * Between two honest sides that lost nothing but a connection, the payee's ticks are behind by what was under way, and
 * its bytes are ahead by what was lost: it commits before it sends, and the payer before it pays.
 */
import { unitsForBytes } from '../economy/units.ts';

/** The payer's books. */
export interface PayerFigures {
  /** Index of the deepest tick it may have sent. */
  readonly revealedUnits: number;
  readonly verifiedBytes: number;
  /** Bytes it paid though they were lost on the way. */
  readonly lostBytes: number;
  /** It has asked for nothing on this channel yet. */
  readonly unused: boolean;
}

/** The payee's books. */
export interface PayeeFigures {
  /** Index of the deepest tick it holds. */
  readonly paidUnits: number;
  readonly servedBytes: number;
}

/** What two honest sides can differ by. */
export interface BookLimits {
  /** Ticks on the way: the widest window. */
  readonly behindUnits: number;
  /** Pieces on the way, and those that earlier connections lost. */
  readonly lostUnits: number;
}

export type BooksName =
  /** The same on both sides. */
  | 'agree'
  /** The last ticks did not arrive: they are sent again. */
  | 'payee-behind'
  /** The payee sent bytes that never arrived; its ticks may be behind as well. */
  | 'lost-bytes'
  /** The payee holds a tick that the payer's books do not know: they are an old copy. */
  | 'payee-ahead'
  /** The payee's books are an old copy: they lack bytes that the payer has, or more ticks than can be under way. */
  | 'apart'
  /** The payee claims what no honest one can: that it served what was not asked for, or more than any window. */
  | 'false';

export interface BooksCompared {
  readonly name: BooksName;
  /** Ticks that the payee lacks. */
  readonly behindUnits: number;
  /** Bytes that the payee says it served, and the payer has neither verified nor written off. */
  readonly lostBytes: number;
}

export function compareBooks(payer: PayerFigures, payee: PayeeFigures, limits: BookLimits): BooksCompared {
  const behindUnits = payer.revealedUnits - payee.paidUnits;
  const lostBytes = payee.servedBytes - payer.verifiedBytes - payer.lostBytes;
  return {
    name: nameOf(payer, payee, limits, behindUnits, lostBytes),
    behindUnits: Math.max(0, behindUnits),
    lostBytes: Math.max(0, lostBytes),
  };
}

function nameOf(
  payer: PayerFigures,
  payee: PayeeFigures,
  limits: BookLimits,
  behindUnits: number,
  lostBytes: number,
): BooksName {
  if (payer.unused && (payee.paidUnits > 0 || payee.servedBytes > 0)) return 'false';
  if (behindUnits < 0) return 'payee-ahead';
  if (behindUnits > limits.behindUnits || payee.servedBytes < payer.verifiedBytes) return 'apart';
  if (unitsForBytes(Math.max(0, lostBytes)) > limits.lostUnits) return 'false';
  if (lostBytes > 0) return 'lost-bytes';
  return behindUnits > 0 ? 'payee-behind' : 'agree';
}
