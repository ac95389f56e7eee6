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
  it('sends one change at once, and many of a moment together, the last of them included', () => {
    const send = vi.fn();
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    expect(send).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 1_000; i++) feed.note();
    expect(send).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(500);
    expect(send).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(60_000);
    expect(send).toHaveBeenCalledTimes(2);
    feed.note();
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('rests longer after a library that took long to be read', () => {
    const send = vi.fn(() => void vi.advanceTimersByTime(1_000));
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    vi.advanceTimersByTime(3_999);
    expect(send).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('survives a library that cannot be read, and sends its next change', () => {
    const send = vi.fn().mockImplementationOnce(() => {
      throw new Error('no disk');
    });
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    vi.advanceTimersByTime(500);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('sends nothing once it is closed', () => {
    const send = vi.fn();
    const feed = new ContentsFeed(send, createLog(null));
    feed.note();
    feed.note();
    feed.close();
    vi.advanceTimersByTime(60_000);
    expect(send).toHaveBeenCalledTimes(1);
  });
});
