import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { DialPace } from '../../../../main/p2p/dial-pace.ts';
import { DhtPace, MessageLengths } from '../../../../main/p2p/library-streams.ts';
import {
  DHT_ADDRESS_RATE,
  DHT_BYTES_OF_ONE,
  DHT_GROUP_RATE,
  DHT_PEER_RATE,
  MAX_RELAYED_PER_ADDRESS,
  MAX_RELAYED_PER_NETWORK_GROUP,
  MAX_RELAYED_STRANGERS,
  NAMED_DIAL_RATE,
} from '../../../../main/p2p/limits.ts';
import { hasPlace } from '../../../../main/p2p/relay-places.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { peerIdOf } from '../../../../main/wallet/device-peer-id.ts';

const framed = (length: number) =>
  length < 0x80
    ? [length, ...Array<number>(length).fill(1)]
    : [(length & 0x7f) | 0x80, length >> 7, ...Array<number>(length).fill(1)];

describe('MessageLengths', () => {
  it.each([1, 2, 3, 50, 1_000])('reads the same lengths in pieces of %i bytes', (size) => {
    const bytes = Uint8Array.from([0, 1, 127, 128, 300].flatMap(framed));
    const lengths = new MessageLengths();
    const read: number[] = [];
    for (let at = 0; at < bytes.byteLength; at += size)
      read.push(...lengths.read(bytes.subarray(at, at + size)));
    expect(read).toEqual([0, 1, 127, 128, 300]);
  });

  it('takes a length without an end for one that is too long', () => {
    expect([...new MessageLengths().read(new Uint8Array(4).fill(0x80))]).toEqual([Number.POSITIVE_INFINITY]);
  });
});

describe('DhtPace', () => {
  const from = (address: string) => ({
    remotePeer: peerIdFromString(peerIdOf(createDevice().publicKey)),
    remoteAddr: multiaddr(`/ip4/${address}/tcp/1`),
  });
  const taken = (pace: DhtPace, who: ReturnType<typeof from>, bytes = 0) => {
    let count = 0;
    while (count < 10_000 && pace.takes(who, bytes)) count++;
    return count;
  };

  it('counts each message once, and again for its bytes', () => {
    const pace = new DhtPace(false, () => 0);
    expect(taken(pace, from('198.51.100.1'))).toBe(DHT_PEER_RATE.burst);
    expect(taken(pace, from('198.51.100.2'), DHT_BYTES_OF_ONE)).toBe(DHT_PEER_RATE.burst / 2);
  });

  it('bounds all of an address, but not on loopback', () => {
    const all = (pace: DhtPace) =>
      Array.from({ length: 6 }, () => taken(pace, from('198.51.100.1'))).reduce((a, b) => a + b, 0);
    expect(all(new DhtPace(false, () => 0))).toBe(DHT_ADDRESS_RATE.burst);
    expect(all(new DhtPace(true, () => 0))).toBe(6 * DHT_PEER_RATE.burst);
  });

  it('bounds all addresses of one network together, and no others', () => {
    const pace = new DhtPace(false, () => 0);
    const all = Array.from({ length: 100 }, (_, i) => taken(pace, from(`198.51.100.${i}`)));
    expect(all.reduce((a, b) => a + b, 0)).toBe(DHT_GROUP_RATE.burst);
    expect(taken(pace, from('203.0.113.1'))).toBe(DHT_PEER_RATE.burst);
  });
});

describe('DialPace', () => {
  it('counts dials of one machine that lead nowhere, whatever the port, and no others', () => {
    let nowMs = 0;
    const pace = new DialPace(() => nowMs);
    const place = (port: number) => multiaddr(`/ip4/198.51.100.1/tcp/${port}`);
    for (let port = 1; port <= NAMED_DIAL_RATE.burst; port++) expect(pace.takes(place(port))).toBe(true);
    expect(pace.takes(place(9_999))).toBe(false);
    expect(pace.takes(multiaddr('/ip4/198.51.100.2/tcp/1'))).toBe(true);
    pace.reached(place(1));
    expect(pace.takes(place(1))).toBe(true);
    nowMs += 1_000 / NAMED_DIAL_RATE.perSecond;
    expect(pace.takes(place(1))).toBe(true);
    expect(pace.takes(place(1))).toBe(false);
  });
});

describe('places at a relay', () => {
  const stranger = (group: number, address = 0) => ({
    isStranger: true,
    group: `group ${group}`,
    address: `address ${group}.${address}`,
  });
  const many = (count: number, of: (n: number) => ReturnType<typeof stranger>) =>
    Array.from({ length: count }, (_, n) => of(n));

  it('are so many of an address, of a network and of all strangers; who is known has one anyway', () => {
    const household = many(MAX_RELAYED_PER_ADDRESS, () => stranger(1));
    expect(hasPlace(household.slice(1), stranger(1))).toBe(true);
    expect(hasPlace(household, stranger(1))).toBe(false);
    expect(hasPlace(household, stranger(1, 2))).toBe(true);
    const network = many(MAX_RELAYED_PER_NETWORK_GROUP, (n) => stranger(1, n));
    expect(hasPlace(network, stranger(1, 99))).toBe(false);
    const crowd = many(MAX_RELAYED_STRANGERS, (n) => stranger(n));
    expect(hasPlace(crowd, stranger(1_000))).toBe(false);
    expect(hasPlace(crowd, { ...stranger(1_000), isStranger: false })).toBe(true);
  });
});
