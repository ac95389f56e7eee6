export const SHARD_PROTOCOL = '/ace/shard/1.0.0';

export const SHARD_LIMITS = { maxFrameBytes: 1_048_576, maxBufferedBytes: 2_097_152 } as const;

/** Rows of a statement in one answer. */
export const STATEMENT_PAGE = 500;
/** Loans in one answer, the oldest: a frame has no room for all that an account can have. */
export const LOANS_TOLD = 1_000;
/** A provider record lives this long unless announced again. */
export const ANNOUNCE_TTL_MS = 60_000;
export const ANNOUNCE_EVERY_MS = 20_000;
