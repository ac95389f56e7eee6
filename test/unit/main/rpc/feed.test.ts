import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFeedHub, SNAPSHOT_INTERVAL_MS } from '../../../../main/rpc/feed.ts';
import type { NodeSnapshot } from '../../../../shared/rpc/rpc.ts';
import { FakeService } from '../../../helpers/fake-service.ts';

describe('createFeedHub', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives every subscriber a snapshot first', async () => {
    const hub = createFeedHub(new FakeService());
    const listener = vi.fn();
    hub.subscribe(listener);
    await vi.advanceTimersByTimeAsync(0);
    expect(listener).toHaveBeenCalledExactlyOnceWith(
      'snapshot',
      expect.objectContaining({ networkId: 'ace-devnet' }),
    );
  });

  it('tells at most four snapshots a second, and the last one always', async () => {
    const service = new FakeService();
    const hub = createFeedHub(service);
    const told: NodeSnapshot[] = [];
    hub.subscribe((topic, data) => {
      if (topic === 'snapshot') told.push(data as NodeSnapshot);
    });
    await vi.advanceTimersByTimeAsync(0);
    told.length = 0;
    for (let i = 0; i < 100; i++) {
      service.step();
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(SNAPSHOT_INTERVAL_MS);
    expect(told.length).toBeLessThanOrEqual(5);
    expect(told.at(-1)?.traffic).toEqual((await service.snapshot()).traffic);
  });

  it('never holds settlements back', async () => {
    const service = new FakeService();
    const hub = createFeedHub(service);
    const rows = vi.fn();
    hub.subscribe((topic, data) => {
      if (topic === 'settlements') rows(data);
    });
    for (let i = 0; i < 3; i++) await service.settleNow();
    expect(rows).toHaveBeenCalledTimes(3);
  });

  it('listens to the node only while somebody listens, and leaves no timer', async () => {
    const service = new FakeService();
    const hub = createFeedHub(service);
    expect(service.listenerCount).toBe(0);
    const stops = [hub.subscribe(() => {}), hub.subscribe(() => {})];
    expect(service.listenerCount).toBe(1);
    service.step();
    for (const stop of stops) stop();
    expect(service.listenerCount).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
