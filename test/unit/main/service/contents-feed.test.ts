import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../../../main/process/log.ts';
import { ContentsFeed } from '../../../../main/service/contents-feed.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('ContentsFeed', () => {
  it('sends one change at once, and many of a moment together, the last of them included', async () => {
    const send = vi.fn(async () => {});
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    expect(send).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 1_000; i++) feed.note();
    expect(send).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(send).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(send).toHaveBeenCalledTimes(2);
    feed.note();
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('rests longer after a library that took long to be read', async () => {
    const send = vi.fn(async () => void vi.advanceTimersByTime(1_000));
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    await vi.advanceTimersByTimeAsync(3_999);
    expect(send).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('survives a library that cannot be read, and sends its next change', async () => {
    const send = vi.fn(async () => {}).mockRejectedValueOnce(new Error('no disk'));
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    await vi.advanceTimersByTimeAsync(500);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('sends once more what changed while it was read', async () => {
    const reading = Promise.withResolvers<void>();
    const send = vi.fn(async () => {}).mockReturnValueOnce(reading.promise);
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(send).toHaveBeenCalledTimes(1);
    reading.resolve();
    await vi.advanceTimersByTimeAsync(240_000);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('sends nothing once it is closed', async () => {
    const send = vi.fn(async () => {});
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    feed.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(send).toHaveBeenCalledTimes(1);
  });
});
