import { describe, expect, it } from 'vitest';
import { chooseEviction, type EvictionCandidate, isStranger } from '../../../../main/p2p/eviction.ts';
import { QUIET_MS, SPEAK_WITHIN_MS, USED_LATELY_MS } from '../../../../main/p2p/limits.ts';

const NOW_MS = 10_000_000;

/** One that said something just now, from a network of its own. */
const candidate = (id: string, fields: Partial<EvictionCandidate> = {}): EvictionCandidate => ({
  id,
  group: `network of ${id}`,
  openedAtMs: NOW_MS - 1_000,
  spokeAtMs: NOW_MS - 100,
  roundTripMs: null,
  paidUnits: 0,
  usedAtMs: null,
  ...fields,
});
/** A crowd of one network group, each a millisecond younger than the one before. */
const crowd = (count: number, fields: Partial<EvictionCandidate> = {}) =>
  Array.from({ length: count }, (_, i) =>
    candidate(`crowd-${i}`, { group: 'crowd', openedAtMs: NOW_MS - 2_000 + i, ...fields }),
  );
const evicted = (...candidates: EvictionCandidate[]) => chooseEviction(candidates, NOW_MS);

describe('who goes when there is no room', () => {
  it('is nobody where there is nobody', () => {
    expect(evicted()).toBeNull();
  });

  it('is first who said nothing since it came, and not before it had the time to', () => {
    const silent = (ms: number) => candidate('silent', { spokeAtMs: null, openedAtMs: NOW_MS - ms });
    expect(evicted(...crowd(50), silent(SPEAK_WITHIN_MS + 1))).toBe('silent');
    expect(evicted(...crowd(50), silent(SPEAK_WITHIN_MS - 1))).toMatch(/^crowd-/);
  });

  it('is first who has been quiet for long, and of several the one that is quiet longest', () => {
    const quiet = (id: string, ms: number) =>
      candidate(id, { spokeAtMs: NOW_MS - ms, openedAtMs: 0, group: 'g' });
    expect(evicted(...crowd(50), quiet('a', QUIET_MS + 1), quiet('b', QUIET_MS + 2))).toBe('b');
    expect(evicted(...crowd(50), quiet('a', QUIET_MS - 1))).toMatch(/^crowd-/);
  });

  it('is of the silent ones one of the largest network group', () => {
    const silent = { spokeAtMs: null, openedAtMs: NOW_MS - 60_000 };
    expect(evicted(candidate('alone', { ...silent, openedAtMs: 0 }), ...crowd(5, silent))).toMatch(/^crowd-/);
  });

  it('is never for its silence one that paid, or was of use lately', () => {
    const silent = { spokeAtMs: null, openedAtMs: 0 };
    expect(evicted(candidate('pays', { ...silent, paidUnits: 1 }), ...crowd(50))).toMatch(/^crowd-/);
    const usedAtMs = NOW_MS - USED_LATELY_MS + 1;
    expect(evicted(candidate('used', { ...silent, usedAtMs }), ...crowd(50))).toMatch(/^crowd-/);
  });

  it('is the youngest of the largest network group where all are as good', () => {
    expect(evicted(candidate('alone'), ...crowd(50))).toBe('crowd-49');
  });

  it('is of those before who went quiet after its greeting, whoever is younger', () => {
    const greeted = candidate('greeted', { group: 'crowd', spokeAtMs: NOW_MS - SPEAK_WITHIN_MS - 1 });
    expect(evicted(...crowd(50), greeted)).toBe('greeted');
  });

  it('is none of those that paid while they are no more than half, though all are of one network', () => {
    const paying = Array.from({ length: 50 }, (_, i) =>
      candidate(`pays-${i}`, { group: 'crowd', paidUnits: 1, usedAtMs: NOW_MS, openedAtMs: NOW_MS }),
    );
    expect(evicted(...crowd(50), ...paying)).toMatch(/^crowd-/);
  });

  it('is none of the nearest, which a crowd from afar cannot be', () => {
    const near = candidate('near', { group: 'crowd', roundTripMs: 1, openedAtMs: NOW_MS });
    expect(evicted(...crowd(50, { roundTripMs: 100 }), near)).toBe('crowd-49');
  });

  it('is none of a rare network group, however many others come', () => {
    const rare = Array.from({ length: 16 }, (_, i) => candidate(`rare-${i}`, { openedAtMs: NOW_MS }));
    expect(evicted(...crowd(50), ...rare)).toMatch(/^crowd-/);
  });

  it('leaves the older half alone: who was there before the crowd stays', () => {
    let left = [candidate('first', { group: 'crowd', openedAtMs: 0 }), ...crowd(100)];
    for (let i = 0; i < 200; i++) {
      const gone = chooseEviction(left, NOW_MS);
      expect(gone).not.toBe('first');
      const next = candidate(`next-${i}`, { group: 'crowd', openedAtMs: NOW_MS - 1_000 + i });
      left = [...left.filter(({ id }) => id !== gone), next];
    }
  });
});

describe('a stranger', () => {
  it('has paid nothing and was not of use lately', () => {
    expect(isStranger({ paidUnits: 0, usedAtMs: null }, NOW_MS)).toBe(true);
    expect(isStranger({ paidUnits: 0, usedAtMs: NOW_MS - USED_LATELY_MS - 1 }, NOW_MS)).toBe(true);
    expect(isStranger({ paidUnits: 0, usedAtMs: NOW_MS - USED_LATELY_MS }, NOW_MS)).toBe(false);
    expect(isStranger({ paidUnits: 1, usedAtMs: null }, NOW_MS)).toBe(false);
  });
});
