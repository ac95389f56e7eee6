/** What finding others may cost, each with its unit and its reason: announcements and answers are strangers'. */

/** Providers that are remembered, those of last longest. */
export const MAX_MET_PROVIDERS = 1_024;
/** Contents whose answers are kept. */
export const MAX_KEPT_ANSWERS = 256;
/** Providers of one lookup for one content. */
export const MAX_FOUND = 64;
/** Addresses of one provider that are kept. */
export const MAX_PROVIDER_ADDRESSES = 16;
/** Connected and known peers that are asked for one content. */
export const MAX_PEERS_ASKED = 48;
/** Providers that one answer of the DHT can name: it has no way to push out what others answer. */
export const MAX_NAMED = 24;
/** Addresses of one peer that an answer of the DHT can name. */
export const MAX_NAMED_ADDRESSES = 8;
/** Peers that are probed for one content at once. */
export const PROBED_AT_ONCE = 16;
/** A probed peer has so long to answer, the dial included. */
export const PROBE_MS = 2_500;
/** Who did not answer is not asked again at the same place for this long. */
export const SILENT_MS = 60_000;
/** Places that are remembered as silent, those of last longest. */
export const MAX_SILENT = 4_096;

/** A shard is asked for so long: a little more than a request to it may take. It forgets by itself, so no answer is kept. */
export const SHARD_LOOKUP_MS = 16_000;
/** Peers that this node knows are asked for so long: a little more than a probe may take. */
export const PEERS_LOOKUP_MS = 3_000;
/** And their answers hold so long: who has just begun a content may have it now. */
export const PEERS_ANSWER_KEPT_MS = 5_000;
/** A walk through the DHT has so long: some round trips, and dials to peers that are gone. */
export const DHT_LOOKUP_MS = 8_000;
/** And what it found holds so long, as it costs many messages. */
export const DHT_ANSWER_KEPT_MS = 30_000;
