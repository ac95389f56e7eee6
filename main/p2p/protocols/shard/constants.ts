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

/** Signed terms of a channel, with every text as long as it may be. */
export const MAX_TERMS_BYTES = 1_024;
/** A device's certificate. */
export const MAX_CERTIFICATE_BYTES = 1_024;
/** A checkpoint: numbers, a channel id and a tick. */
export const MAX_CHECKPOINT_BYTES = 512;
/** A signed operation of any kind; the one that buys access is the longest. */
export const MAX_OPERATION_BYTES = 2_048;
/** Shards of a network: each has a key in the settings. */
export const MAX_SHARDS = 1_024;
/** Addresses of one peer; who has more is found by some of them. */
export const MAX_MULTIADDRS = 16;
/** Characters of one address: those of a peer at a relay with a long name. */
export const MAX_MULTIADDR_CHARS = 300;
/** Characters of a peer id, more than any kind has. */
export const MAX_PEER_ID_CHARS = 100;
/** Contents of one announcement: some 600 kB of a frame's 1 MiB. A shard keeps fewer of each peer. */
export const MAX_CONTENTS_ANNOUNCED = 10_000;
/** Providers and peers of one answer: a node has no use for more, whatever a shard tells. */
export const MAX_PEERS_ANSWERED = 64;
