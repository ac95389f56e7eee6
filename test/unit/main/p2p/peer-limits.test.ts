import { describe, expect, it } from 'vitest';
import { PeerLimits } from '../../../../main/p2p/peer-limits.ts';

const RATES = { requests: { perSecond: 10, burst: 5 }, bytes: { perSecond: 1_000, burst: 2_000 } };

function limits() {
  const clock = { nowMs: 0 };
  return { clock, peers: new PeerLimits(RATES, () => clock.nowMs) };
}

describe('the limits of a peer', () => {
  it('give a burst of requests, then so many a second', () => {
    const { clock, peers } = limits();
    for (let i = 0; i < 5; i++) expect(peers.take('a', 1).retryAfterMs).toBe(0);
    expect(peers.take('a', 1).retryAfterMs).toBe(100);
    clock.nowMs = 50;
    expect(peers.take('a', 1).retryAfterMs).toBe(50);
    clock.nowMs = 100;
    expect(peers.take('a', 1).retryAfterMs).toBe(0);
    expect(peers.take('a', 1).retryAfterMs).toBe(100);
    clock.nowMs = 60_000;
    for (let i = 0; i < 5; i++) expect(peers.take('a', 1).retryAfterMs).toBe(0);
    expect(peers.take('a', 1).retryAfterMs).toBe(100);
  });

  it('count the bytes of requests and answers, and have them paid off before the next', () => {
    const { clock, peers } = limits();
    expect(peers.take('a', 1_500).retryAfterMs).toBe(0);
    peers.charge('a', 1_500);
    expect(peers.take('a', 1).retryAfterMs).toBe(1_001);
    clock.nowMs = 1_001;
    expect(peers.take('a', 1).retryAfterMs).toBe(0);
  });

  it('of one peer take nothing from another', () => {
    const { peers } = limits();
    for (let i = 0; i < 50; i++) peers.take('flood', 500);
    expect(peers.take('flood', 1).retryAfterMs).toBeGreaterThan(0);
    expect(peers.take('calm', 1).retryAfterMs).toBe(0);
  });

  it('gain nothing from a clock that goes back', () => {
    const { clock, peers } = limits();
    clock.nowMs = 1_000;
    for (let i = 0; i < 5; i++) peers.take('a', 1);
    clock.nowMs = 0;
    expect(peers.take('a', 1).retryAfterMs).toBe(100);
  });

  it('forget peers that have rested, and no others', () => {
    const { clock, peers } = limits();
    for (let i = 0; i < 1_024; i++) peers.take(`old ${i}`, 1);
    clock.nowMs = 10_000;
    for (let i = 0; i < 5; i++) peers.take('busy', 1);
    expect(peers.peers).toBe(1);
    expect(peers.take('busy', 1).retryAfterMs).toBe(100);
  });
});
