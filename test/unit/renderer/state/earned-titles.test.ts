import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EarnedTitles } from '../../../../renderer/state/earned-titles.svelte.ts';
import { TestNode } from './test-node.ts';

const FILM = { contentId: 'film', earnedXac: '0.1000000', repaidXac: '0.0000000', earnedXas: '0.0000000' };

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('EarnedTitles', () => {
  it('knows what a title brought, and that another brought nothing', async () => {
    const node = new TestNode();
    const earned = new EarnedTitles(node.client);
    expect(earned.of('film')).toBeNull();
    earned.onSnapshot({ settlementCount: 0 });
    node.answer('earnedByTitle', [FILM]);
    await vi.waitFor(() => expect(earned.of('film')).toEqual(FILM));
    expect(earned.of('other')).toBeNull();
  });

  it('asks again after other settlements, and no more often than every five seconds', async () => {
    const node = new TestNode();
    const earned = new EarnedTitles(node.client);
    const asked = () => node.of('earnedByTitle').length;
    earned.onSnapshot({ settlementCount: 7 });
    node.answer('earnedByTitle', []);
    await vi.advanceTimersByTimeAsync(60_000);
    earned.onSnapshot({ settlementCount: 7 });
    expect(asked()).toBe(1);
    earned.onSnapshot({ settlementCount: 8 });
    expect(asked()).toBe(2);
    node.answer('earnedByTitle', [FILM]);
    await vi.advanceTimersByTimeAsync(4_999);
    earned.onSnapshot({ settlementCount: 9 });
    expect(asked()).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    earned.onSnapshot({ settlementCount: 9 });
    expect(asked()).toBe(3);
  });

  it('asks again for what it was not told', async () => {
    const node = new TestNode();
    const earned = new EarnedTitles(node.client);
    earned.onSnapshot({ settlementCount: 7 });
    node.refuse('earnedByTitle', 'Internal');
    await vi.advanceTimersByTimeAsync(5_000);
    earned.onSnapshot({ settlementCount: 7 });
    expect(node.of('earnedByTitle')).toHaveLength(2);
  });
});
