import { describe, expect, it } from 'vitest';
import { parseSetting, settingLines } from '../../../../main/cli/setting-values.ts';
import { NO_LIMITS } from '../../../../shared/limits.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

describe('parseSetting', () => {
  it.each([
    ['download', '2MiB/s', { downloadBytesPerSecond: 2 * 2 ** 20 }],
    ['upload', '0', { uploadBytesPerSecond: 0 }],
    ['upload', 'none', { uploadBytesPerSecond: null }],
    ['cache', '1.5 GiB', { cacheBytes: 1.5 * 2 ** 30 }],
    ['data-per-month', '50GB', { dataPerMonthBytes: 50 * 2 ** 30 }],
    ['connections', '20', { maxConnections: 20 }],
    ['loans-per-day', '200MiB', { loansPerDayBytes: 200 * 2 ** 20 }],
    ['loans-per-day', '0', { loansPerDayBytes: 0 }],
    ['loans-per-account', 'default', { loansPerAccountBytes: null }],
    ['spend-day', '0.05', { spendPerDayXac: '0.0500000' }],
    ['spend-month', '2 XAC', { spendPerMonthXac: '2.0000000' }],
    ['spend-day', '0', { spendPerDayXac: '0.0000000' }],
    ['spend-month', 'none', { spendPerMonthXac: null }],
    ['auto-topup', 'none', { autoTopUp: null }],
    [
      'auto-topup',
      'below=1 deposit=2 day=6 month=30.5',
      {
        autoTopUp: {
          belowXat: '1.0000000',
          depositXat: '2.0000000',
          mostPerDayXat: '6.0000000',
          mostPerMonthXat: '30.5000000',
        },
      },
    ],
    ['schedule', 'none', { schedule: [] }],
    [
      'schedule',
      'sat-mon 22:00-06:00 upload=0 download=1MiB/s; wed 00:00-24:00 upload=none',
      {
        schedule: [
          {
            days: ['sat', 'sun', 'mon'],
            from: '22:00',
            to: '06:00',
            uploadBytesPerSecond: 0,
            downloadBytesPerSecond: 2 ** 20,
          },
          { days: ['wed'], from: '00:00', to: '24:00', uploadBytesPerSecond: null },
        ],
      },
    ],
  ])('takes %s %s', (name, text, changes) => {
    expect(parseSetting(name, text)).toEqual(changes);
    // What it shows can be typed again.
    const shown =
      settingLines({ ...NO_LIMITS, ...parseSetting(name, text) }).find(
        ([setting]) => setting === name,
      )?.[1] ?? '';
    expect(parseSetting(name, shown)).toEqual(changes);
  });

  it.each([
    ['speed', '1', 'There is no setting "speed"'],
    ['loans-per-day', 'none', '"none" is not an amount such as 50GB, or default'],
    ['upload', 'fast', '"fast" is not a rate'],
    ['upload', '1KiB/s', 'at least 32 KiB/s'],
    ['cache', '1GiB/s', '"1GiB/s" is not an amount'],
    ['cache', '1MiB', 'cache: at least 16 MiB, or none'],
    ['connections', '-1', '"-1" is not a number'],
    ['connections', '301', 'connections: at most 300'],
    ['data-per-day', '2000TiB', 'data-per-day: at most '],
    ['cache', '99999999TB', 'cache: at most 9'],
    ['schedule', 'mon 08:00-09:00 upload=0;'.repeat(101), 'schedule: at most 100 entries'],
    ['spend-day', '1 XAT', '"1 XAT" is not an amount of XAC'],
    ['spend-day', '-1', '"-1" is not an amount of XAC'],
    ['auto-topup', 'below=1 deposit=2', '"below=1 deposit=2" is not "below=1 deposit=2 day=6 month=30"'],
    ['auto-topup', 'below=1 deposit=2 day=6 day=7', 'is not "below=1'],
    ['auto-topup', 'below=0 deposit=2 day=6 month=30', 'auto-topup: the amounts are more than 0'],
    ['auto-topup', 'below=1 deposit=2 day=1.9 month=30', 'auto-topup: a day and a month allow at least one'],
    ['schedule', 'mon', '"mon" is not a rule'],
    ['schedule', 'mond 08:00-09:00 upload=0', '"mond" is not days'],
    ['schedule', 'mon 08:00-09:00 sideload=0', '"sideload=0" is not upload='],
    ['schedule', 'mon 08:00-25:00 upload=0', 'not a time'],
    ['toString', '1', 'There is no setting'],
  ])('refuses %s %s', (name, text, says) => {
    expect(expectAceError('InvalidInput', () => parseSetting(name, text)).message).toContain(says);
  });
});
