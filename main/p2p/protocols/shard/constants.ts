import type { BucketRate } from '../../../../shared/token-bucket.ts';
import type { PeerRates } from '../../peer-limits.ts';

export const SHARD_PROTOCOL = '/ace/shard/3.0.0';

/** What one peer may ask a shard for: several times what the busiest node does. */
export const SHARD_RATES: PeerRates = {
  requests: { perSecond: 500, burst: 2_000 },
  bytes: { perSecond: 4_194_304, burst: 16_777_216 },
};

/**
 * Leases that one peer may ask for: each costs milliseconds, and a row for ever. A node asks for one when it begins
 * something, and one now and then while that lasts.
 */
export const LEASE_RATE: BucketRate = { perSecond: 2, burst: 128 };

export const SHARD_LIMITS = { maxFrameBytes: 1_048_576, maxBufferedBytes: 2_097_152 } as const;

/** Rows of a statement in one answer. */
export const STATEMENT_PAGE = 500;
/** Operations of an account in one answer: of a few hundred bytes each. */
export const OPERATIONS_TOLD = 250;
/** Loans in one answer, the oldest: a frame has no room for all that an account can have. */
export const LOANS_TOLD = 1_000;
/** Channels that one request may ask for. */
export const CHANNELS_ASKED = 500;

/** Channels whose bills one request asks to be proven: some hundred bytes of answer each. */
export const BILLS_ASKED = 32;
/** A provider record lives this long unless announced again. */
export const ANNOUNCE_TTL_MS = 60_000;
export const ANNOUNCE_EVERY_MS = 20_000;
