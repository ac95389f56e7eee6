import { describe, expect, it } from 'vitest';
import { Rendezvous } from '../../../../main/validator/rendezvous.ts';

const LIMITS = { maxPeers: 100, maxContents: 10, maxPairs: 50 };
const record = (peerId: string) => ({ account: '0x', peerId, multiaddrs: [] });
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
