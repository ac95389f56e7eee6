/** What a validator bounds, each with its unit and its reason. What every host bounds is in `p2p/limits.ts`. */

import type { BucketRate } from '../../shared/token-bucket.ts';

/** A larger step of the wall clock than a time server's small corrections is a jump. */
export const MAX_CLOCK_STEP_MS = 2 * 60_000;
/** A jump is believed after it has stood so long: a bad answer of a time server is set right by its next ones before. */
export const CLOCK_STAND_MS = 10 * 60_000;
/** The clock is looked at so often. */
export const CLOCK_LOOK_MS = 1_000;

/** Leases by which a validator knows at its start who has served and paid. */
export const REMEMBERED_LEASES = 10_000;
/** They are looked for among so many that were granted last: what strangers get in four days, and some tenths of a second. */
export const SEARCHED_LEASES = 200_000;
/**
 * A lease that nothing was ever paid on is forgotten so long after its end: nothing can be claimed on it since an hour after
 * that, and a clock that was wrong for a while has been noticed by then.
 */
export const UNUSED_LEASE_KEPT_MS = 3 * 24 * 3_600_000;
/** Leases that one settlement forgets: bounds how long it holds the event loop, some milliseconds. */
export const MAX_FORGOTTEN_AT_ONCE = 500;
/**
 * Leases of one address for peers that never paid nor served: a household's first day. Each is a row of 1.9 kB until some
 * days after its end, ten days at most. Not on a devnet of one's own.
 */
export const ADDRESS_LEASE_RATE: BucketRate = { perSecond: 64 / 86_400, burst: 64 };
/** The same of one network group: an owner of a /48 has 65,536 addresses, and of a /24 256. Sixteen households. */
export const GROUP_LEASE_RATE: BucketRate = { perSecond: 1_024 / 86_400, burst: 1_024 };
/**
 * Leases of a peer that has paid, in millionths of what it gets in a day: one for each unit that was paid with it. A viewer pays
 * hundreds on each lease; who has paid one unit has bought no rows.
 */
export const PAID_LEASE_RATE: BucketRate = { perSecond: 1_000_000 / 86_400, burst: 1_000_000 };
/** Leases beyond that of all such peers together: 43,200 a day, so 80 MB of rows. */
export const STRANGERS_LEASE_RATE: BucketRate = { perSecond: 0.5, burst: 512 };

/**
 * Pairs of payer and payee in batches, beyond those that the payer has paid for (`StrangersShare`): 21,600 a day, of 0.2 kB in chain.db and 0.8 kB in
 * validator.db. A viewer on credit at four providers notices nothing for an hour; who waits is settled with all that it has.
 */
export const STRANGERS_ROW_RATE: BucketRate = { perSecond: 0.25, burst: 8_192 };
/** Accounts that one batch asks the chain for, whether they have funds after all: some milliseconds. */
export const MAX_FUNDS_LOOKS = 512;

/** Of what an account watched, so much counts for the traffic rate in a day: 14 hours at 7 GB an hour, as 4K has. */
export const COUNTED_UNITS_PER_DAY = 102_400;
/** And so much of its time: an account has one pair of eyes, also for what it pays for days later. */
export const COUNTED_MS_PER_DAY = 24 * 3_600_000;
/** The day of both: UTC, by the validator's clock. */
export const COUNTED_DAY_MS = 24 * 3_600_000;

/** Signatures of statements that are kept, of some 200 bytes each: those that were asked for last. */
export const KEPT_SIGNATURES = 50_000;
/** Rows of statements that are kept as they were told, of some 1,500 bytes each: those that were asked for last. */
export const KEPT_ROWS = 20_000;
/**
 * Rows of statements and operations that one peer, or one address, is told: each costs some microseconds to read, encode and
 * sign, whatever request it is part of. A node that begins anew with 20,000 of them gets them at once.
 */
export const ROWS_RATE: BucketRate = { perSecond: 2_000, burst: 20_000 };

/** Peers whose certificate is not checked again with each announcement. */
export const REMEMBERED_ANNOUNCERS = 10_000;

/** Peers that have announced something. */
export const RENDEZVOUS_MAX_PEERS = 10_000;
/** Contents of one peer; those after are not announced. */
export const RENDEZVOUS_MAX_CONTENTS = 2_000;
/** (peer, content) pairs in all: what the memory depends on, some 20 MB. */
export const RENDEZVOUS_MAX_PAIRS = 200_000;
/** Providers of one content that an answer names. */
export const RENDEZVOUS_TOLD = 20;
/** Of those, so many places are for providers that were paid: no crowd of newcomers hides them. */
export const RENDEZVOUS_TOLD_PROVEN = 10;

/** What a peer is worth is looked up no more often than this, whatever it hands in. */
export const WORTH_EVERY_MS = 60_000;

/** Units a second that one lease reserves at most for its life: no device takes more than 1 Gbit/s. */
export const LEASE_UNITS_PER_SECOND = 128;
/** Leases of one device that are open at once: a viewer has one with each provider, and a few that wait for an end. */
export const MAX_DEVICE_LEASES = 512;
/**
 * Units that the open leases of one device reserve and nobody has claimed: some hours of the best picture. It is what a
 * stolen device can give away before it is unlinked, whatever its account owns.
 */
export const MAX_DEVICE_UNITS = 20_480;

/** Longest life of a lease. */
export const MAX_LEASE_MS = 7 * 24 * 3_600_000;
/** A channel goes to one provider's device: no account fetches from more at once. Bounds what a settlement reads. */
export const MAX_OPEN_LEASES = 1_000;
/** Leases that were used are kept for ever, and one that is released costs nothing: this bounds how fast an account adds rows. */
export const MAX_LEASES_PER_HOUR = 3_600;
