/** What a node bounds, each with its unit and its reason. What every host bounds is in `p2p/limits.ts`. */

/** A channel that never carried a byte is forgotten so long after its end; its shard forgets the lease then, too. */
export const UNUSED_CHANNEL_KEPT_MS = 3 * 24 * 3_600_000;
/** How often they are looked for. */
export const FORGET_EVERY_MS = 3_600_000;
/** Channels that one look forgets: more than strangers get leases for in that time, and some milliseconds of work. */
export const MAX_FORGOTTEN_AT_ONCE = 2_000;
