import { PIECE_BYTES } from '../../../../shared/units.ts';

export const PIECES_PROTOCOL = '/ace/pieces/1.0.0';

export const PIECES_LIMITS = { maxFrameBytes: 70_000, maxBufferedBytes: 4 * PIECE_BYTES } as const;

/** Requests a provider keeps waiting on one stream; more are a protocol error. */
export const MAX_QUEUED_REQUESTS = 64;

export interface PiecesTimeouts {
  /** A stream that says nothing at all at its beginning, or no countersignature at its end. */
  readonly handshakeMs: number;
  /** A provider that is owed a tick waits this long for it before it refuses the request: less than `dataMs`. */
  readonly paymentMs: number;
  /** A viewer that waits for data waits this long for the next frame. */
  readonly dataMs: number;
}

export const PIECES_TIMEOUTS: PiecesTimeouts = { handshakeMs: 10_000, paymentMs: 15_000, dataMs: 20_000 };
