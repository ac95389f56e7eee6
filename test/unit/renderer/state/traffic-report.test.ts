import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TrafficReports } from '../../../../renderer/state/traffic-report.svelte.ts';
import type { TrafficNow } from '../../../../shared/rpc/traffic.ts';
import { TestNode } from './test-node.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const moving = (downBytesPerSecond: number) =>
  ({ downBytesPerSecond, upBytesPerSecond: 0, overheadBytesPerSecond: 0 }) as TrafficNow;

describe('TrafficReports', () => {
  it('shows the period that was chosen last, whichever answer comes last', async () => {
    const node = new TestNode();
    const reports = new TrafficReports(node.client);
    const today = reports.load();
    reports.period = 'month';
    const month = reports.load();
    expect(node.inputs('trafficReport')).toEqual([{ period: 'today' }, { period: 'month' }]);
    node.answer('trafficReport', { period: 'month' }, 1);
    await month;
    node.answer('trafficReport', { period: 'today' }, 0);
    await today;
    expect(reports.report?.period).toBe('month');
  });

  it('keeps its figures when asking again fails', async () => {
    const node = new TestNode();
    const reports = new TrafficReports(node.client);
    const first = reports.load();
    node.answer('trafficReport', { period: 'today' });
    await first;
    const second = reports.load();
    node.refuse('trafficReport', 'Internal');
    await second;
    expect(reports.report?.period).toBe('today');
    expect(reports.error).not.toBeNull();
  });

  it('asks again while something moves, not more often than every five seconds', () => {
    const node = new TestNode();
    const reports = new TrafficReports(node.client);
    void reports.load();
    vi.advanceTimersByTime(4_999);
    reports.onTraffic(moving(1));
    expect(node.of('trafficReport')).toHaveLength(1);
    vi.advanceTimersByTime(1);
    reports.onTraffic(moving(0));
    expect(node.of('trafficReport')).toHaveLength(1);
    reports.onTraffic(moving(1));
    expect(node.of('trafficReport')).toHaveLength(2);
  });
});
