import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { DataCounter } from '../../../../main/limits/data-counter.ts';
import { UserLimits } from '../../../../main/limits/user-limits.ts';
import { weekMinuteOf } from '../../../../main/limits/wall-clock.ts';
import { Meter } from '../../../../main/p2p/meter.ts';
import { createLog } from '../../../../main/process/log.ts';
import { dayOf } from '../../../../main/util/local-day.ts';
import type { Limits } from '../../../../shared/limits.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { NOTHING_SPENT } from '../../../helpers/spending.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A Friday. */
const NOON_MS = new Date(2026, 10, 20, 12, 0).getTime();
const GIB = 2 ** 30;

function world(startMs = NOON_MS) {
  const path = join(tempDir(), 'node.db');
  let nowMs = startMs;
  let store = openNodeStore(path);
  onTestFinished(() => store.close());
  const start = () => {
    const meter = new Meter(() => nowMs);
    const limits = new UserLimits({
      store,
      meter,
      spending: NOTHING_SPENT,
      nowMs: () => nowMs,
      log: createLog(null),
    });
    onTestFinished(() => limits.close());
    return { meter, limits };
  };
  return {
    ...start(),
    get store() {
      return store;
    },
    restart: () => {
      store.close();
      store = openNodeStore(path);
      return start();
    },
    at: (ms: number) => {
      nowMs = ms;
    },
  };
}

describe('UserLimits', () => {
  it('keeps what was set over a restart, and what was not set as it was', () => {
    const { limits, restart } = world();
    limits.set({ uploadBytesPerSecond: 65_536, dataPerDayBytes: GIB });
    limits.set({ uploadBytesPerSecond: 0 });
    const again = restart().limits;
    expect(again.limits).toMatchObject({
      uploadBytesPerSecond: 0,
      dataPerDayBytes: GIB,
      maxConnections: null,
    });
    expect(again.rate('download')).toBeNull();
  });

  it('tells at once what was set, and says why a direction stands still', () => {
    const { limits } = world();
    const told: unknown[] = [];
    limits.onChange(() => told.push(limits.stops().map(({ message }) => message)));
    limits.set({ uploadBytesPerSecond: 0 });
    expect(told).toEqual([['Uploading is stopped by your settings']]);
  });

  it('says until when the schedule stops', () => {
    const { limits, at } = world();
    const schedule: Limits['schedule'] = [
      { days: ['fri'], from: '08:00', to: '18:00', uploadBytesPerSecond: 0 },
    ];
    limits.set({ schedule });
    expect(limits.stop('upload')).toEqual({
      direction: 'upload',
      reason: 'schedule',
      until: '18:00',
      message: 'Uploading is stopped until 18:00 by your schedule',
    });
    expect(limits.stop('download')).toBeNull();
    at(new Date(2026, 10, 20, 18, 0).getTime());
    expect(limits.stop('upload')).toBeNull();
  });

  it('stops both directions at the data of a day, and goes on the next day', () => {
    const { limits, meter, at } = world();
    limits.set({ dataPerDayBytes: GIB });
    meter.add({ downBytes: GIB / 2, upBytes: GIB / 2 - 1 });
    expect(limits.stops()).toEqual([]);
    meter.add({ protocolBytes: 1 });
    expect(limits.stops().map(({ direction, reason }) => [direction, reason])).toEqual([
      ['download', 'data-per-day'],
      ['upload', 'data-per-day'],
    ]);
    at(new Date(2026, 10, 21, 0, 0).getTime());
    expect(limits.stops()).toEqual([]);
    expect(limits.data).toEqual({ dayBytes: 0, monthBytes: GIB });
  });

  it('refuses a file with settings that it does not understand', () => {
    const { store, limits } = world();
    limits.close();
    store.userSettings.set('uploadBytesPerSecond', 5);
    const meter = new Meter(() => NOON_MS);
    const error = expectAceError('DataDirMismatch', () => {
      new UserLimits({ store, meter, spending: NOTHING_SPENT, nowMs: () => NOON_MS, log: createLog(null) });
    });
    expect(error.message).toContain('uploadBytesPerSecond');
  });
});

describe('DataCounter', () => {
  it('counts on after a restart, by day and by month', () => {
    const { store, restart } = world();
    const meter = new Meter(() => NOON_MS);
    const counter = new DataCounter(store, meter, () => NOON_MS);
    meter.add({ downBytes: 5, upBytes: 6, paymentBytes: 7, protocolBytes: 8 });
    counter.save();
    expect(counter.totals()).toEqual({ dayBytes: 26, monthBytes: 26 });
    expect(restart().limits.data).toEqual({ dayBytes: 26, monthBytes: 26 });
  });

  it('saves by itself what would be too much to lose', () => {
    const { store } = world();
    const meter = new Meter(() => NOON_MS);
    const counter = new DataCounter(store, meter, () => NOON_MS);
    meter.add({ downBytes: 64 * 2 ** 20 - 1 });
    counter.totals();
    expect(store.dataUsed.between('2026-11-01', '2026-11-30').downBytes).toBe(0);
    meter.add({ downBytes: 1 });
    counter.totals();
    expect(store.dataUsed.between('2026-11-01', '2026-11-30').downBytes).toBe(64 * 2 ** 20);
  });

  it('books what came before midnight on the day before', () => {
    const { store } = world();
    let nowMs = new Date(2026, 10, 30, 23, 59).getTime();
    const meter = new Meter(() => nowMs);
    const counter = new DataCounter(store, meter, () => nowMs);
    meter.add({ upBytes: 10 });
    nowMs = new Date(2026, 11, 1, 0, 0).getTime();
    expect(counter.totals()).toEqual({ dayBytes: 0, monthBytes: 0 });
    expect(store.dataUsed.between('2026-11-30', '2026-11-30').upBytes).toBe(10);
  });
});

describe('the wall clock', () => {
  it('shows the hour that people see when daylight saving begins and ends', () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Europe/Berlin';
    onTestFinished(() => {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    });
    const sunday = 6 * 1_440;
    // 02:00 to 03:00 does not exist on 29 March 2026, and is there twice on 25 October.
    const [before, after] = [Date.UTC(2026, 2, 29, 0, 59), Date.UTC(2026, 2, 29, 1, 0)];
    expect([weekMinuteOf(before), weekMinuteOf(after)]).toEqual([sunday + 119, sunday + 180]);
    const [first, second] = [Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30)];
    expect([weekMinuteOf(first), weekMinuteOf(second)]).toEqual([sunday + 150, sunday + 150]);
    expect(dayOf(Date.UTC(2026, 2, 28, 23, 30))).toBe('2026-03-29');
  });
});
