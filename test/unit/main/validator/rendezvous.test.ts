import { describe, expect, it } from 'vitest';
import { type AnnouncedRecord, Rendezvous } from '../../../../main/validator/rendezvous.ts';

const LIMITS = { maxPeers: 100, maxContents: 10, maxPairs: 50 };
const record = (peerId: string, fields: Partial<AnnouncedRecord> = {}): AnnouncedRecord => ({
  ...{ account: '0x', peerId, multiaddrs: [], group: null, proven: false },
  ...fields,
});
const ids = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `content-${from + i}`);

describe('the rendezvous', () => {
  it('tells a random choice, so that newcomers do not hide who was there', () => {
    const r = new Rendezvous(() => 1);
    r.announce(record('honest'), ['wanted']);
    for (let i = 0; i < 20; i++) r.announce(record(`sybil-${i}`), ['wanted']);
    const told = Array.from({ length: 100 }, () => r.providers('wanted').map((p) => p.peerId));
    expect(told.every((peers) => new Set(peers).size === 20)).toBe(true);
    expect(told.some((peers) => peers.includes('honest'))).toBe(true);
  });

  it('takes so many contents of a peer and so many pairs in all', () => {
    const r = new Rendezvous(() => 1, LIMITS);
    r.announce(record('small'), ['wanted']);
    for (let i = 0; i < 30; i++) r.announce(record(`large-${i}`), ids(100, i));
    expect(r.pairs).toBeLessThanOrEqual(LIMITS.maxPairs);
    expect(r.providers('wanted').map((p) => p.peerId)).toEqual(['small']);
    expect(r.providers('content-50')).toEqual([]);
  });

  it('tells in any case of who comes from elsewhere, and of who was paid, however many others there are', () => {
    const r = new Rendezvous(() => 1);
    const crowd = (i: number) => record(`sybil-${i}`, { account: `0x${i}`, group: 'crowd' });
    r.announce(record('elsewhere', { group: 'elsewhere' }), ['wanted']);
    r.announce(record('paid', { account: '0xpaid', group: 'crowd', proven: true }), ['wanted']);
    for (let i = 0; i < 500; i++) r.announce(crowd(i), ['wanted']);
    for (let i = 0; i < 100; i++) {
      const told = r.providers('wanted').map(({ peerId }) => peerId);
      expect(told).toHaveLength(20);
      expect(told).toEqual(expect.arrayContaining(['elsewhere', 'paid']));
    }
  });

  it('tells of one account no more than of another', () => {
    const r = new Rendezvous(() => 1);
    for (let i = 0; i < 64; i++) r.announce(record(`one-${i}`, { account: '0xone', group: 'g' }), ['wanted']);
    r.announce(record('other', { account: '0xother', group: 'g' }), ['wanted']);
    const told = Array.from({ length: 100 }, () => r.providers('wanted').map(({ peerId }) => peerId));
    expect(told.every((peerIds) => peerIds.includes('other'))).toBe(true);
  });

  // Before, 1,919 of them pushed out a provider of 400 contents: who had announced most went first.
  it('keeps a provider of 400 contents while 1,919 strangers of 20 networks announce 290 each', () => {
    const r = new Rendezvous(() => 1);
    r.announce(record('honest', { account: '0xhonest', group: 'home' }), ids(400));
    for (let i = 0; i < 1_919; i++) {
      r.announce(record(`s-${i}`, { account: `0x${i}`, group: `net-${i % 20}` }), ids(290, 1_000 * i));
    }
    expect(r.pairs).toBeLessThanOrEqual(200_000);
    expect(ids(400).filter((id) => r.providers(id).length === 0)).toEqual([]);
  });

  it('keeps who was paid before all others, and a peer for each network before many of one', () => {
    const r = new Rendezvous(() => 1, LIMITS);
    r.announce(record('paid', { group: 'g', proven: true }), ids(10));
    r.announce(record('alone', { group: 'h', account: '0xalone' }), ids(1));
    for (let i = 0; i < 200; i++) r.announce(record(`s-${i}`, { account: `0x${i}`, group: 'g' }), ids(1, 50));
    expect(r.providers('content-9').map(({ peerId }) => peerId)).toEqual(['paid']);
    expect(
      r
        .providers('content-0')
        .map(({ peerId }) => peerId)
        .sort(),
    ).toEqual(['alone', 'paid']);
  });

  it('forgets what expired, and what a peer announces no more', () => {
    let nowMs = 1;
    const r = new Rendezvous(() => nowMs, LIMITS);
    r.announce(record('a'), ids(3));
    r.announce(record('a'), ids(1));
    expect([r.pairs, r.providers('content-2')]).toEqual([1, []]);
    nowMs += 1_000_000;
    expect(r.providers('content-0')).toEqual([]);
    expect(r.pairs).toBe(0);
  });
});
