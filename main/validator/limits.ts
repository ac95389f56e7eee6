/** What a validator bounds, each with its unit and its reason. What every host bounds is in `p2p/limits.ts`. */

/** Of the leases granted last, so many are looked at when a validator starts: who served or paid stays known. */
export const REMEMBERED_LEASES = 10_000;
/** What a peer is worth is looked up no more often than this, whatever it hands in. */
export const WORTH_EVERY_MS = 60_000;
