export const CHAIN_PROTOCOL = '/ace/chain/2.0.0';

export const CHAIN_LIMITS = { maxFrameBytes: 1_048_576, maxBufferedBytes: 2_097_152 } as const;

/** A batch, a result or a list that is larger crosses in parts of this size. */
export const PART_BYTES = 524_288;
/** The canonical bytes of `MAX_BATCH_ENTRIES` entries take 11 MB. */
export const MAX_BATCH_BYTES = 16 * 1_048_576;
/** The result of such a batch takes 29 MB. */
export const MAX_ANSWER_BYTES = 64 * 1_048_576;
/** Requests in one second of a peer that is no validator. */
export const READS_PER_SECOND = 200;
/** How often a shard says where it listens, and hears where the others do. */
export const REGISTER_EVERY_MS = 5_000;
/** Addresses of one shard. */
export const MAX_SHARD_ADDRESSES = 16;
/** Characters of what a purchase is of: its buyer chose them. */
export const MAX_CONTENT_ID_CHARS = 200;
/** Characters of the place up to which a shard has heard of changes: two hashes. */
export const MAX_CURSOR_CHARS = 100;
/** Characters of an account or a pool in a receipt. */
export const MAX_HOLDER_CHARS = 64;
/** What one operation changes: of its two accounts and some pools, each token in each place. */
export const MAX_CHANGES = 100;
/** An Ed25519 signature has 64 bytes; there is room for those of several validators. */
export const MAX_SIGNATURE_BYTES = 256;
