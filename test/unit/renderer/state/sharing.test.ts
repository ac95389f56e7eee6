import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SharingReports } from '../../../../renderer/state/sharing.svelte.ts';
import type { NodeClient, NodeSnapshot } from '../../../../shared/rpc/rpc.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

it('asks again when a figure has changed, and no more often than it can be read', async () => {
  const call = vi.fn(async () => ({ sentBytes: 1 }));
  const reports = new SharingReports({ call } as unknown as NodeClient);
  const snapshot = (upBytes: number) =>
    ({ traffic: { upBytes }, pending: { earnedUnits: 0 }, settlementCount: 0, price: null }) as NodeSnapshot;
  await reports.load();
  reports.onSecond(snapshot(1));
  expect(call).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(2_000);
  reports.onSecond(snapshot(1));
  expect(call).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(60_000);
  reports.onSecond(snapshot(1));
  expect(call).toHaveBeenCalledTimes(2);
  reports.onSecond(snapshot(2));
  expect(call).toHaveBeenCalledTimes(3);
  expect(call).toHaveBeenLastCalledWith('sharing', { period: 'week' });
});
