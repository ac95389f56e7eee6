import type { PeerRates } from '../../peer-limits.ts';

/** Asking a peer for the records of a broadcast, and which segments it has. */
export const LIVE_PROTOCOL = '/ace/live/1.0.0';

/** One gossip topic for each broadcast. */
export function liveTopic(networkId: string, broadcast: string): string {
  return `/ace/live/1.0.0/${networkId}/${broadcast}`;
}

/** Records in one answer: the newest of those that were asked for. */
export const MAX_RECORDS_ASKED = 64;

/** Contents that one request may ask about. */
export const MAX_CONTENTS_ASKED = 16;

/** What one peer may ask for: a viewer asks once a second at most, and once more for each segment. */
export const LIVE_RATES: PeerRates = {
  requests: { perSecond: 10, burst: 60 },
  bytes: { perSecond: 262_144, burst: 1_048_576 },
};

/** Messages of one broadcast that one peer may pass on: so many at once, and so many a second. */
export const LIVE_PEER_BURST = 64;

export const LIVE_PEER_PER_SECOND = 8;

/** A record of some 250 bytes, a signature, and the transport file of 32 pieces. */
export const MAX_LIVE_MESSAGE_BYTES = 4096;
