import { describe, expect, it } from 'vitest';
import { MAX_STANDINGS } from '../../../../main/p2p/limits.ts';
import { PeerStanding } from '../../../../main/p2p/peer-standing.ts';

describe('the standing of a peer', () => {
  it('is nothing before anything is known of it', () => {
    const standing = new PeerStanding(() => 1);
    expect(standing.of('p')).toEqual({ paidUnits: 0, account: 'p', usedAtMs: null });
    expect(standing.isSpared('p')).toBe(false);
  });

  it('keeps when it was of use last, and the most units that it was told of', () => {
    let nowMs = 1;
    const standing = new PeerStanding(() => nowMs);
    standing.used('p');
    standing.paid('p', 5);
    nowMs = 2;
    standing.used('p');
    standing.paid('p', 3);
    expect(standing.of('p')).toEqual({ paidUnits: 5, account: 'p', usedAtMs: 2 });
  });

  it('is forgotten for so many others, and never that of who is spared', () => {
    const standing = new PeerStanding(() => 1);
    standing.spare(['validator']);
    for (let i = 0; i <= MAX_STANDINGS; i++) standing.used(`peer-${i}`);
    expect(standing.of('peer-0').usedAtMs).toBeNull();
    expect(standing.of('peer-1').usedAtMs).toBe(1);
    expect(standing.isSpared('validator')).toBe(true);
  });

  it('of who has paid is forgotten for no number of strangers', () => {
    const standing = new PeerStanding(() => 1);
    standing.used('payer');
    standing.paid('payer', 2);
    for (let i = 0; i <= 2 * MAX_STANDINGS; i++) standing.used(`peer-${i}`);
    expect(standing.of('payer')).toEqual({ paidUnits: 2, account: 'payer', usedAtMs: 1 });
    for (let i = 0; i < MAX_STANDINGS; i++) standing.paid(`peer-${i}`, 1);
    expect(standing.of('payer').paidUnits).toBe(0);
  });
});
