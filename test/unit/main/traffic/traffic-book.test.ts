import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { UserLimits } from '../../../../main/limits/user-limits.ts';
import { Meter } from '../../../../main/p2p/meter.ts';
import { createLog } from '../../../../main/process/log.ts';
import { MarketLog } from '../../../../main/traffic/market-log.ts';
import { TrafficBook } from '../../../../main/traffic/traffic-book.ts';
import { NOTHING_SPENT } from '../../../helpers/spending.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A Friday. */
const NOON_MS = new Date(2026, 10, 20, 12, 0).getTime();
const HOUR_MS = 3_600_000;
const MIB = 1_048_576;
const FILM = { contentId: 'bfilm', account: '0xann' };
const CLIP = { contentId: 'bclip', account: '0xbob' };

beforeEach(() => {
  vi.useFakeTimers({ now: NOON_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

function world() {
  const path = join(tempDir(), 'node.db');
  let store = openNodeStore(path);
  onTestFinished(() => store.close());
  const nowMs = () => Date.now();
  const start = () => {
    const context = { store, meter: new Meter(nowMs), nowMs, log: createLog(null) };
    const book = new TrafficBook(context);
    const limits = new UserLimits({ ...context, spending: NOTHING_SPENT });
    return { ...context, book, limits };
  };
  const first = start();
  return {
    ...first,
    /** A piece that is booked and goes through. */
    moved(bytes: Partial<Record<'downBytes' | 'upBytes', number>>, of: typeof FILM, meter = first.meter) {
      store.traffic.add({ downBytes: 0, upBytes: 0, ...bytes, ...of }, nowMs());
      meter.add(bytes, of);
    },
    restart() {
      first.book.close();
      first.limits.close();
      store.close();
      store = openNodeStore(path);
      const next = start();
      onTestFinished(() => {
        next.book.close();
        next.limits.close();
      });
      return next;
    },
  };
}

describe('TrafficBook', () => {
  it('says who and what the speed is made of, fastest first, and forgets it after three seconds', () => {
    const { meter, book } = world();
    meter.add({ downBytes: 3 * MIB }, FILM);
    meter.add({ upBytes: 6 * MIB }, CLIP);
    meter.add({ protocolBytes: 300 });
    vi.advanceTimersByTime(1_000);
    expect(book.now()).toMatchObject({
      downBytesPerSecond: MIB,
      upBytesPerSecond: 2 * MIB,
      overheadBytesPerSecond: 100,
      peers: [
        { account: '0xbob', downBytesPerSecond: 0, upBytesPerSecond: 2 * MIB },
        { account: '0xann', downBytesPerSecond: MIB, upBytesPerSecond: 0 },
      ],
      contents: [{ contentId: 'bclip', name: null }, { contentId: 'bfilm' }],
    });
    vi.advanceTimersByTime(4_000);
    expect(book.now()).toMatchObject({
      downBytesPerSecond: 0,
      overheadBytesPerSecond: 0,
      peers: [],
      contents: [],
    });
  });

  it('counts the accounts that a title goes to, and not those that it comes from', () => {
    const { meter, book } = world();
    for (const account of ['0xann', '0xbob', '0xbob']) meter.add({ upBytes: MIB }, { ...FILM, account });
    meter.add({ downBytes: MIB }, { ...FILM, account: '0xeve' });
    meter.add({ downBytes: MIB }, CLIP);
    vi.advanceTimersByTime(1_000);
    const viewers = book.now().contents.map((title) => [title.contentId, title.viewers]);
    expect(viewers).toEqual([
      ['bfilm', 2],
      ['bclip', 0],
    ]);
  });

  it('tells of a hundred titles at most, and of twenty peers', () => {
    const { meter, book } = world();
    for (let i = 0; i < 101; i++) meter.add({ upBytes: MIB + i }, { contentId: `b${i}`, account: `0x${i}` });
    vi.advanceTimersByTime(1_000);
    const { contents, peers } = book.now();
    expect([contents.length, peers.length]).toEqual([100, 20]);
    expect(contents.some(({ contentId }) => contentId === 'b0')).toBe(false);
  });

  it('keeps content apart from overhead, by hour and over a restart', () => {
    const { meter, moved, restart } = world();
    moved({ downBytes: 5 * MIB }, FILM);
    meter.add({ paymentBytes: 70, protocolBytes: 30 });
    vi.advanceTimersByTime(HOUR_MS);
    moved({ downBytes: MIB, upBytes: 0 }, FILM);
    const { book, meter: next } = restart();
    moved({ upBytes: 2 * MIB }, FILM, next);
    expect(book.report('today')).toEqual({
      period: 'today',
      bars: [
        { atMs: NOON_MS, downBytes: 5 * MIB, upBytes: 0, overheadBytes: 100 },
        { atMs: NOON_MS + HOUR_MS, downBytes: MIB, upBytes: 2 * MIB, overheadBytes: 0 },
      ],
      paymentBytes: 70,
      protocolBytes: 30,
      peers: [{ account: '0xann', downBytes: 6 * MIB, upBytes: 2 * MIB }],
      contents: [{ contentId: 'bfilm', name: null, downBytes: 6 * MIB, upBytes: 2 * MIB }],
    });
  });

  it('tells today from the month and from everything', () => {
    vi.setSystemTime(new Date(2026, 9, 31, 23, 0));
    const { moved, book, limits } = world();
    moved({ downBytes: 4 * MIB }, FILM);
    vi.setSystemTime(new Date(2026, 10, 1, 1, 0));
    moved({ downBytes: 2 * MIB }, CLIP);
    vi.setSystemTime(NOON_MS);
    moved({ downBytes: MIB }, FILM);
    const sums = (['today', 'month', 'all'] as const).map((period) => {
      const { bars, peers } = book.report(period);
      return [
        bars.reduce((sum, { downBytes }) => sum + downBytes, 0) / MIB,
        peers.map(({ account }) => account),
      ];
    });
    expect(sums).toEqual([
      [1, ['0xann']],
      [3, ['0xbob', '0xann']],
      [7, ['0xann', '0xbob']],
    ]);
    limits.close();
    book.close();
  });
});

describe('MarketLog', () => {
  const point = (atMs: number, xacPerGb: string) => ({
    atMs,
    xacPerGb,
    xatPerGb: '0.2857142',
    xacPerXat: '1',
    trafficRateGbPerHour: '3.5',
  });

  it('keeps a point a minute where something changed, and ends with what is now', () => {
    const log = new MarketLog(world().store, NOON_MS);
    for (const [seconds, price] of [
      [0, '0.01'],
      [30, '0.02'],
      [90, '0.02'],
      [200, '0.02'],
    ] as const)
      log.note(point(NOON_MS + seconds * 1_000, price));
    expect(log.since(0, point(NOON_MS + 300_000, '0.03')).map(({ xacPerGb }) => xacPerGb)).toEqual([
      '0.01',
      '0.02',
      '0.03',
    ]);
    expect(log.since(NOON_MS + 90_000, null)).toHaveLength(1);
  });

  it('leaves one point an hour of what is older than a week', () => {
    const { store } = world();
    const log = new MarketLog(store, NOON_MS);
    for (let minute = 0; minute < 120; minute++)
      log.note(point(NOON_MS + minute * 60_000, `0.${minute + 1}`));
    expect(log.since(0, null)).toHaveLength(120);
    const later = new MarketLog(store, NOON_MS + 8 * 86_400_000);
    expect(later.since(0, null).map(({ atMs }) => atMs)).toEqual([NOON_MS, NOON_MS + HOUR_MS]);
  });
});
