import { PIECE_BYTES } from '../../../../shared/units.ts';

export const PIECES_PROTOCOL = '/ace/pieces/1.0.0';

export const PIECES_LIMITS = { maxFrameBytes: 70_000, maxBufferedBytes: 4 * PIECE_BYTES } as const;

/** Requests a provider keeps waiting on one stream; more are a protocol error. */
export const MAX_QUEUED_REQUESTS = 64;
/** A stream that says nothing at all at its beginning. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A provider that is owed a tick waits this long for it before it gives up the stream. */
export const PAYMENT_TIMEOUT_MS = 30_000;
/** A viewer that waits for data waits this long for the next frame. */
export const DATA_TIMEOUT_MS = 20_000;
