import { PIECE_BYTES } from '../../shared/economy/units.ts';
import type { BucketRate } from '../../shared/token-bucket.ts';

export const PIECES_PROTOCOL = '/ace/pieces/2.0.0';

export const PIECES_LIMITS = {
  maxFrameBytes: 70_000,
  maxBufferedBytes: 4 * PIECE_BYTES,
  /** A viewer that pauses what it watches says nothing meanwhile; after longer it opens another stream. */
  idleMs: 300_000,
} as const;

/** What a provider may send before it hears of more: the first piece whole, and the beginning of the next. */
export const OPENING_WINDOW_BYTES = 2 * PIECE_BYTES;

/** Longest transport file that is sent in a message: that of a content of 2 GiB. A longer one is fetched by itself. */
export const MAX_MESSAGE_TRANSPORT_BYTES = 68_000;

/** Requests a provider keeps waiting on one stream; more are a protocol error. */
export const MAX_QUEUED_REQUESTS = 64;

/**
 * Streams and channels that one device may begin: each costs a signature or two to check, and a new channel a row. A
 * viewer begins one with each title, and again when its connection breaks.
 */
export const VISIT_RATE: BucketRate = { perSecond: 4, burst: 128 };

/**
 * A piece of less than this costs a provider as much as one of so many bytes: it is looked up, read, booked and committed
 * all the same. Of four bytes, a unit would pay for 262,144 of them.
 */
export const SMALL_PIECE_BYTES = 16_384;
/** Such pieces of one device, over all its streams: the last of many contents at once, and then some a second. */
export const SMALL_PIECE_RATE: BucketRate = { perSecond: 32, burst: 256 };

/** Contents for which a provider keeps what a viewer has shown on one stream. */
export const MAX_SHOWN = 64;
/** Certificates of access that one device may show, over all its streams: each new one costs a signature to check. */
export const ACCESS_RATE: BucketRate = { perSecond: 4, burst: 128 };

export interface PiecesTimeouts {
  /** A stream on which nothing comes at its beginning, or no countersignature at its end. */
  readonly handshakeMs: number;
  /** A provider that is owed a tick waits this long for it before it refuses the request: less than `dataMs`. */
  readonly paymentMs: number;
  /** A viewer that waits for data waits this long for the next frame. */
  readonly dataMs: number;
}

export const PIECES_TIMEOUTS: PiecesTimeouts = { handshakeMs: 10_000, paymentMs: 15_000, dataMs: 20_000 };
