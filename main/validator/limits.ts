/** What a validator bounds, each number with its unit and why it is that. */

/** Units a second that one lease reserves at most for its life: no device takes more than 1 Gbit/s. */
export const LEASE_UNITS_PER_SECOND = 128;
/** Leases of one device that are open at once: a viewer has one with each provider, and a few that wait for an end. */
export const MAX_DEVICE_LEASES = 512;
/**
 * Units that the open leases of one device reserve and nobody has claimed: some hours of the best picture. It is what a
 * stolen device can give away before it is unlinked, whatever its account owns.
 */
export const MAX_DEVICE_UNITS = 20_480;
