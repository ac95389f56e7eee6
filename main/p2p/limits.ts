/**
 * What every host bounds whatever its role: connections, handshakes, streams on which nothing happens, and what libp2p's own
 * protocols take and keep of strangers.
 */
import type { BucketRate } from '../../shared/token-bucket.ts';

/** Connections of one host. Each costs a socket, two keys and some hundred kilobytes. */
export const MAX_CONNECTIONS = 300;
/** Of those, so many are for peers that have paid, were served or leased here: strangers alone never fill a host. */
export const CONNECTIONS_FOR_KNOWN = 60;
/** libp2p turns away before it knows who comes, so it has room for handshakes beyond our own number. */
export const CONNECTIONS_HEADROOM = 100;

/** Strangers' connections of one address: a household, a small carrier's NAT. Not on a devnet of one's own. */
export const MAX_PER_ADDRESS = 32;
/** Strangers' connections of one /24 or /48: what one owner rents as a rule. Not on a devnet of one's own. */
export const MAX_PER_NETWORK_GROUP = 64;

/** Handshakes under way at once: each holds a socket until it is done or `HANDSHAKE_MS` have passed. */
export const MAX_HANDSHAKES = 64;
/** Of those, from one address and from one network group: who begins handshakes and ends none must not have them all. */
export const MAX_HANDSHAKES_PER_ADDRESS = 8;
export const MAX_HANDSHAKES_PER_NETWORK_GROUP = 16;
/** Five round trips of a bad line, to a machine that is busy. */
export const HANDSHAKE_MS = 10_000;
/** New connections of one address in a second; each costs some milliseconds of signatures. */
export const INBOUND_PER_SECOND_AND_ADDRESS = 32;
/** The same on a devnet of one's own, where everybody has the one address. */
export const INBOUND_PER_SECOND_ON_LOOPBACK = 100;

/** A stream on which the first message does not come in this time is reset: sooner than a protocol's own handshake ends. */
export const FIRST_MESSAGE_MS = 8_000;
/** A stream that carries nothing for so long is reset. A node says something on its shard line every 20 s. */
export const STREAM_IDLE_MS = 75_000;

/** Streams of one protocol on one connection, each way: as many contents are fetched from one provider at once. */
export const MAX_STREAMS_OF_PROTOCOL = 16;
/** Relays that wait to be asked for a place: they are named by strangers, and one or two are enough. */
export const MAX_RELAYS_WAITING = 16;

/** When there is no room, a new connection has so long to say something before it goes first. */
export const SPEAK_WITHIN_MS = 3_000;
/** When there is no room, a connection that said nothing for so long goes first as well. */
export const QUIET_MS = 30_000;
/** A peer that leased or was served is of use for so long. */
export const USED_LATELY_MS = 10 * 60_000;
/** Peers whose use is remembered: so many that have paid, and as many others. */
export const MAX_STANDINGS = 4_096;

/** Who stays when a connection has to go, in shares of all that could: those with most paid units. */
export const KEPT_PAYING_SHARE = 0.5;
/** And those that were of use most lately. */
export const KEPT_USED_SHARE = 0.25;
/** And those that answer fastest: an attacker cannot be near to everybody. */
export const KEPT_NEAREST = 8;
/** And one, the oldest, of each of the rarest network groups. */
export const KEPT_GROUPS = 16;
/** And the oldest of what is left: time is what a newcomer cannot buy. */
export const KEPT_OLDEST_SHARE = 0.5;

/** Streams of the DHT on one connection: what a peer asks for at once. And those to others: three walks of three. */
export const MAX_DHT_STREAMS_IN = 8;
export const MAX_DHT_STREAMS_OUT = 16;
/** Peers that wait to be taken up into the DHT's table; each is asked whether it is there. */
export const MAX_DHT_NEWCOMERS = 512;
/** A request of libp2p's own protocols: a provider with sixteen addresses, by way of relays. It is decoded at once, whatever it holds. */
export const MAX_LIBRARY_REQUEST_BYTES = 2_048;
/** An answer: twenty peers that are near, as many providers, with sixteen addresses each. */
export const MAX_LIBRARY_ANSWER_BYTES = 65_536;
/** What a message to the DHT counts beside 1: its addresses cost most, some 50 µs each. */
export const DHT_BYTES_OF_ONE = 128;
/** Messages to the DHT of one peer: those of some hundred contents at once. Each costs up to 10 ms, with all that it names. */
export const DHT_PEER_RATE: BucketRate = { perSecond: 8, burst: 500 };
/** The same of one address, a household of three that ask at once. Not on a devnet of one's own. */
export const DHT_ADDRESS_RATE: BucketRate = { perSecond: 24, burst: 1_500 };
/** The same of one network group, eight such households: an owner of a /48 has 65,536 addresses. */
export const DHT_GROUP_RATE: BucketRate = { perSecond: 192, burst: 12_000 };

/** Peers that are remembered with their addresses, those heard of last. */
export const MAX_KNOWN_PEERS = 20_000;
/** What is remembered of one: twice what identify tells of a node. A record that would be longer stays as it was. */
export const MAX_PEER_RECORD_BYTES = 6_144;
/** Of all of them: some 400 bytes each, so that those who tell much push out each other. */
export const MAX_PEER_RECORDS_BYTES = 16_777_216;
/** Provider records of the DHT: in all, of one content, of one provider. */
export const MAX_PROVIDER_RECORDS = 100_000;
export const MAX_PROVIDERS_OF_CONTENT = 256;
export const MAX_CONTENTS_OF_PROVIDER = 2_000;
/** Providers of one content that an answer of the DHT names: what one who looks for it asks of one answer. */
export const PROVIDERS_TOLD = 24;
/** Where they are full, so many go at once: to find who has most takes a look at all. */
export const PROVIDER_RECORDS_DROPPED = 1_000;

/** Dials to one address that strangers named, of all their ports: so many at once, and so many a second. */
export const NAMED_DIAL_RATE: BucketRate = { perSecond: 0.5, burst: 32 };
/** The same in all: a walk through the DHT meets some dozens. */
export const NAMED_DIALS_RATE: BucketRate = { perSecond: 20, burst: 512 };

/** Places at a relay, each for half an hour. */
export const MAX_RELAYED_PEERS = 128;
/** Of those, for peers that never paid nor served: all of them, those of one address, of one network group. */
export const MAX_RELAYED_STRANGERS = 96;
export const MAX_RELAYED_PER_ADDRESS = 8;
export const MAX_RELAYED_PER_NETWORK_GROUP = 16;
