/** One topic for the payers of each shard of a network. */
export function checkpointTopic(networkId: string, shard: number): string {
  return `/ace/checkpoints/1.0.0/${networkId}/${shard}`;
}

/** Terms, a checkpoint and three signatures come to about 700. */
export const MAX_GOSSIP_BYTES = 1_024;

/** Peers that a message goes to at first hand. */
export const MESH_PEERS = 3;

/** Messages that one peer may pass on: so many at once, and so many a second. What is more is not looked at. */
export const PEER_BURST = 64;
export const PEER_PER_SECOND = 8;
/** The same for all peers together: bounds the signatures checked, at most three for each. */
export const ALL_BURST = 256;
export const ALL_PER_SECOND = 64;

/** Invalid messages after which a peer is not listened to, for as long as the penalty lasts. */
export const INVALID_TOLERATED = 3;
export const PENALTY_MS = 10 * 60_000;

/** News of one channel that is passed on: so many at once, and one in so long. Its two sides publish far less. */
export const CHANNEL_BURST = 16;
export const CHANNEL_EVERY_MS = 10_000;

/** Channels whose latest checkpoints are remembered: some 2 KB each. */
export const REMEMBERED_CHANNELS = 4_096;
export const REMEMBERED_CHECKPOINTS = 4;

/**
 * Which checkpoints of a channel its sides publish: the first, each with so many times the units of the one before or so
 * long after it, and the final one. A channel of 512 units costs two or three messages instead of eight, some 6 bytes for
 * each MiB; every checkpoint still meets the books of its payee, and those in claims meet the shard's.
 */
export const PUBLISH_EVERY_MS = 10 * 60_000;
export const PUBLISH_GROWTH = 8;
/** Each side waits up to this long at random, and publishes nothing when it has heard the other by then. */
export const PUBLISH_WITHIN_MS = 2_000;
/** Messages that wait to be published; more are dropped. */
export const MAX_UNPUBLISHED = 256;
