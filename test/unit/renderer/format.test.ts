import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  fullAmount,
  pricePerMib,
  readAmount,
  shortAmount,
  significant,
} from '../../../renderer/format/amount.ts';
import {
  dayEndMs,
  dayOf,
  dayStartMs,
  formatDay,
  formatWeekday,
  readDay,
} from '../../../renderer/format/days.ts';
import {
  codeWords,
  errorWords,
  faucetWords,
  reasonWords,
  startWords,
} from '../../../renderer/format/error-words.ts';
import { ownUrl } from '../../../renderer/format/own-url.ts';
import { filterOf, placeOf, settlementsLink } from '../../../renderer/format/settlement-words.ts';
import { shortId } from '../../../renderer/format/short-id.ts';
import { formatDateTime, formatSpan } from '../../../renderer/format/time.ts';
import { planTopUp, suggestTopUps } from '../../../renderer/format/top-up.ts';
import { creditAmount, creditSentence, formatBytes, rateText } from '../../../renderer/format/traffic.ts';
import { videoTime, xatWorth } from '../../../renderer/format/video-time.ts';
import { formatAmount, parseAmount } from '../../../shared/economy/money.ts';
import { AceError, type ErrorCode } from '../../../shared/errors.ts';
import { overwriteGetLocale } from '../../../shared/i18n/compiled/runtime.js';
import type { LoanView, NodeSnapshot } from '../../../shared/rpc/rpc.ts';
import { FakeService } from '../../helpers/fake-service.ts';

describe('shortAmount', () => {
  it.each([
    ['0', 2, '0.00'],
    ['0', 4, '0.0000'],
    ['2.31', 2, '2.31'],
    ['2.319', 2, '2.31'],
    ['0.124', 4, '0.1240'],
    ['0.05', 2, '0.05'],
    ['0.0056', 2, '0.0056'],
    ['0.0000098', 4, '0.0000098'],
    ['0.0000001', 4, '0.0000001'],
    ['0.0001234', 4, '0.00012'],
    ['1204.5', 4, '1,204.5000'],
    ['99999999999.9999999', 4, '99,999,999,999.9999'],
  ])('%s with at least %i decimals is %s', (decimal, minDecimals, text) => {
    expect(shortAmount(parseAmount(decimal), minDecimals)).toBe(text);
  });

  it('never shows more than there is', () => {
    for (const decimal of ['0.99999', '1.9999999', '0.0000199', '12.3456789']) {
      const shown = parseAmount(shortAmount(parseAmount(decimal)).replaceAll(',', ''));
      expect(shown).toBeLessThanOrEqual(parseAmount(decimal));
    }
  });
});

describe('fullAmount', () => {
  it('has all 7 decimals', () => {
    expect(fullAmount(parseAmount('1204.5'))).toBe('1,204.5000000');
  });
});

describe('readAmount', () => {
  it.each([
    ['0.25', 2_500_000n],
    [' 1 ', 10_000_000n],
    ['0,05', 500_000n],
    ['0', null],
    ['', null],
    ['-1', null],
    ['1e5', null],
    ['1,000.5', 10_005_000_000n],
    ['12 345,5', 123_455_000_000n],
    ['.5', 5_000_000n],
    ['0.12345678', null],
    // One, or a thousand: with money nothing is guessed.
    ['1,000', null],
  ])('reads "%s"', (text, value) => {
    expect(readAmount(text)).toBe(value);
  });
});

describe('prices of a MiB', () => {
  it('are exact and show three digits', () => {
    expect(pricePerMib('0.0100000')).toEqual({ num: 1n, den: 102_400n });
    expect(significant(pricePerMib('0.0100000'))).toBe('0.00000976');
    expect(significant(pricePerMib('1024'))).toBe('1.0000');
    expect(significant(pricePerMib('0'))).toBe('0.0000');
  });
});

describe('credit', () => {
  it.each([
    [3_277, 10_240, 'Credit: 3.2 of 10\u00a0GB used (3,277\u00a0MiB)'],
    [0, 10_240, 'Credit: 0\u00a0MiB of 10\u00a0GB used'],
    [17, 10_240, 'Credit: 17\u00a0MiB of 10\u00a0GB used'],
    [1_023, 10_240, 'Credit: 1,023\u00a0MiB of 10\u00a0GB used'],
    [10_240, 10_240, 'Credit: 10.0 of 10\u00a0GB used (10,240\u00a0MiB)'],
    [5, 12, 'Credit: 5 of 12\u00a0MiB used'],
    [100, 1_536, 'Credit: 100\u00a0MiB of 1.5\u00a0GB used'],
  ])('%i of %i units', (used, limit, text) => {
    expect(creditSentence(used, limit)).toBe(text);
  });

  it('has GB from one on, MiB below', () => {
    expect([6_963, 1_024, 1_023, 1].map(creditAmount)).toEqual([
      '6.8\u00a0GB',
      '1\u00a0GB',
      '1,023\u00a0MiB',
      '1\u00a0MiB',
    ]);
  });
});

describe('traffic', () => {
  it.each([
    [0, '0\u00a0bytes'],
    [1, '1\u00a0byte'],
    [1_536, '1.5\u00a0KiB'],
    [1_048_576, '1\u00a0MiB'],
    [16_252_928, '16\u00a0MiB'],
    [1_288_490_188, '1.2\u00a0GB'],
  ])('%i bytes', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0\u00a0MiB/s'],
    [6_396_314, '6.1\u00a0MiB/s'],
    [102_000, '100\u00a0KiB/s'],
    [1_536, '1.5\u00a0KiB/s'],
  ])('%i bytes per second', (bytes, text) => {
    expect(rateText(bytes)).toBe(text);
  });
});

describe('a date in Russian', () => {
  it('keeps its year and the word for it on one line', () => {
    overwriteGetLocale(() => 'ru');
    onTestFinished(() => overwriteGetLocale(() => 'en'));
    const dates = [formatWeekday('2020-11-21'), formatDateTime(Date.UTC(2020, 10, 21, 12))];
    for (const date of dates) expect(date).toContain('2020\u00a0г.');
  });
});

describe('videoTime', () => {
  it.each([
    ['0', ''],
    ['0.001', 'less than a minute of video'],
    ['0.5', 'about 30\u00a0min of video'],
    ['1', 'about 1\u00a0hour of video'],
    ['2.31', 'about 2.3\u00a0hours of video'],
    ['4', 'about 4\u00a0hours of video'],
    ['1234.9', 'about 1,234\u00a0hours of video'],
  ])('%s XAT', (decimal, text) => {
    expect(videoTime(parseAmount(decimal))).toBe(text);
  });

  it('is brief in the status strip', () => {
    expect(videoTime(parseAmount('2.31'), true)).toBe('about 2.3\u00a0h of video');
  });

  it('counts XAC at the exchange rate', () => {
    expect(xatWorth(parseAmount('0.07'), '7/200')).toBe(parseAmount('2'));
  });
});

describe('small words', () => {
  it('shortens long ids only', () => {
    expect(shortId('0x7a3f5c1e9b2d4f60718293a4b5c6d7e8f9029fc1')).toBe('0x7a3f…9fc1');
    expect(shortId('UserB')).toBe('UserB');
  });

  it('says spans of time', () => {
    expect([0, 34.9, 60, 187].map(formatSpan)).toEqual([
      '0\u00a0s',
      '34\u00a0s',
      '1:00\u00a0min',
      '3:07\u00a0min',
    ]);
  });
});

describe('errors in words', () => {
  it('never shows an unknown error’s own text', () => {
    expect(JSON.stringify(errorWords(new TypeError('x is not a function')))).not.toContain('function');
  });

  it('never shows the node’s own text, which is English, whatever the code', () => {
    const node = new AceError('NotAllowed', 'This device has no recovery phrase');
    expect(errorWords(node)).toEqual(codeWords('NotAllowed'));
    // As of a node that was updated while the page was open.
    const unknown = new AceError('FromTheFuture' as ErrorCode, 'Something new');
    expect(errorWords(unknown)).toEqual(codeWords('Internal'));
  });

  it.each(['en', 'ru'] as const)('has words of the language for every code, in %s', (language) => {
    overwriteGetLocale(() => language);
    onTestFinished(() => overwriteGetLocale(() => 'en'));
    const source = readFileSync(join(import.meta.dirname, '../../../shared/errors.ts'), 'utf8');
    const union = source.slice(source.indexOf('export type ErrorCode'), source.indexOf('export interface'));
    const codes = [...union.matchAll(/\| '([A-Za-z]+)'/g)].map(([, code]) => code as ErrorCode);
    expect(codes).toContain('Internal');
    const internal = JSON.stringify(codeWords('Internal'));
    for (const code of codes) {
      const words = errorWords(new AceError(code, 'Text of the node'));
      for (const text of [words.what, words.next]) {
        expect(text, code).not.toContain('Text of the node');
        expect(text, code).toMatch(language === 'ru' ? /[а-яё]{2}/ : /^[^а-яё]+$/);
      }
      if (code !== 'Internal') expect(JSON.stringify(codeWords(code)), code).not.toBe(internal);
    }
  });

  it('turns input errors into a sentence by their reason', () => {
    const words = errorWords(
      new AceError('InvalidInput', 'amountXat: not an amount', {
        details: { field: 'amountXat', reason: 'amount' },
      }),
    );
    expect(words.what).toBe('That is not an amount: write for example 0.25.');
    const most = new AceError('InvalidAmount', 'The faucet says no', { details: { mostXat: '1000' } });
    expect(faucetWords(most).what).toContain('1,000\u00a0XAT');
    expect(faucetWords(new AceError('InsufficientFunds', '')).what).toContain('faucet');
    const details = { field: 'to', reason: 'checksum' };
    expect(errorWords(new AceError('InvalidInput', 'to: its letter case', { details })).what).toContain(
      'typo',
    );
  });

  it('promises that a title starts by itself only when it is under way', () => {
    expect(codeWords('NoProviders').next).toContain('by itself');
    const stopped = { code: 'ProviderStopped', message: '' } as const;
    const untilMs = new Date(2026, 10, 24, 18, 30).getTime();
    expect(reasonWords(stopped).what).toContain('has stopped sharing it for now');
    expect(reasonWords({ ...stopped, untilMs }).what).toContain(`nothing until ${formatDateTime(untilMs)}`);
    expect(reasonWords({ code: 'NoProviders', message: '' })).toEqual(codeWords('NoProviders'));
    const notStarted = startWords(new AceError('NoProviders', ''));
    expect(notStarted.next).not.toContain('by itself');
    expect(notStarted.next).toContain('play it again');
    const atLimit = startWords(new AceError('ProviderStopped', '', { details: { untilMs } }));
    expect(atLimit.what).toEqual(reasonWords({ ...stopped, untilMs }).what);
    expect(atLimit.next).toContain('after that');
    const unshared = startWords(new AceError('ProviderStopped', ''));
    expect(unshared.what).toContain('has stopped sharing it for now');
    expect(unshared.next).not.toContain('by itself');
    const full = new AceError('StoreFailed', '');
    expect(startWords(full)).toEqual(errorWords(full));
  });

  it('has words for used-up credit', () => {
    expect(codeWords('CreditExhausted').next).toContain('Nothing is lost');
  });
});

async function owing(loans: readonly LoanView[], xat = '0'): Promise<NodeSnapshot> {
  const snapshot = await new FakeService('exhausted').snapshot();
  const known = snapshot.price as NonNullable<NodeSnapshot['price']>;
  // 0.01 XAC per GB, as in the sources' credit story.
  const exact = { ...known.exact, xacPerUnit: '3125/32', xatPerUnit: '3125/32', xacPerXat: '1/1' };
  const price = { ...known, exact };
  return {
    ...snapshot,
    price,
    credit: { ...snapshot.credit, loans },
    holdings: { ...snapshot.holdings, services: { ...snapshot.holdings.services, XAT: xat } },
  };
}

const older: LoanView = { creditor: '0xb', units: 3_072, sinceMs: 1, priceXac: '0.0300000' };
const newer: LoanView = { creditor: '0xc', units: 7_168, sinceMs: 2, priceXac: '0.0700000' };

describe('suggestTopUps', () => {
  it('covers what is owed with a little over, then an evening on top', async () => {
    const [all, evening] = suggestTopUps(await owing([older, newer]));
    expect(formatAmount(all?.amountXat ?? 0n)).toBe('0.1010000');
    expect(formatAmount(evening?.amountXat ?? 0n)).toBe('3.1100000');
  });

  it('counts the funds that are there', async () => {
    const [all] = suggestTopUps(await owing([older, newer], '0.05'));
    expect(formatAmount(all?.amountXat ?? 0n)).toBe('0.0505000');
  });

  it('suggests evenings when nothing is owed', async () => {
    expect(suggestTopUps(await owing([]))[0]?.purpose).toBe('an evening of video');
  });

  it('does not fail while the price is unknown', async () => {
    expect(suggestTopUps({ ...(await owing([older])), price: null })).toHaveLength(2);
  });
});

describe('planTopUp', () => {
  it('repays the oldest first and leaves the rest', async () => {
    const steps = planTopUp(await owing([newer, older]), parseAmount('0.2'));
    expect(steps.map((s) => [s.kind, s.creditor, s.units, formatAmount(s.tokens.XAT)])).toEqual([
      ['repay', '0xb', 3_072, '0.0300000'],
      ['repay', '0xc', 7_168, '0.0700000'],
      ['left', null, 0, '0.1000000'],
    ]);
  });

  it('names whom one owes several loans once, with the sum of them', async () => {
    const again = { ...older, sinceMs: newer.sinceMs + 1, units: 1_024 };
    const steps = planTopUp(await owing([newer, older, again]), parseAmount('0.2'));
    expect(steps.map((s) => [s.kind, s.creditor, s.units, formatAmount(s.tokens.XAT)])).toEqual([
      ['repay', '0xb', 4_096, '0.0400000'],
      ['repay', '0xc', 7_168, '0.0700000'],
      ['left', null, 0, '0.0900000'],
    ]);
  });

  it('repays in part, whole units only, and loses nothing', async () => {
    const topUp = parseAmount('0.0400001');
    const steps = planTopUp(await owing([older, newer]), topUp);
    expect(steps[1]).toMatchObject({ units: 1_024, unitsStillOwed: 6_144 });
    expect(steps.reduce((sum, s) => sum + s.tokens.XAT, 0n)).toBe(topUp);
  });
});

describe('days of a filter', () => {
  it('begin and end at midnight here', () => {
    const day = '2026-11-21';
    const start = dayStartMs(day) ?? 0;
    expect(new Date(start).getHours()).toBe(0);
    expect(dayOf(start)).toBe(day);
    const end = dayEndMs(day) ?? 0;
    expect(dayOf(end)).toBe('2026-11-22');
    expect(dayOf(end - 1)).toBe(day);
  });

  it('are nothing else', () => {
    for (const text of ['', '2026-02-30', '2026-13-01', '21.11.2026', '2026-11-21T00:00'])
      expect([dayStartMs(text), dayEndMs(text)]).toEqual([null, null]);
  });
});

describe('a filter in the address', () => {
  it('may ask for operations, which are no settlements', () => {
    const filter = { fromMs: 5, kind: 'operation' } as const;
    expect(filterOf(settlementsLink(filter).replace('#/settlements/', ''))).toEqual(filter);
  });

  it('is read as it was written', () => {
    const filter = { fromMs: 5, untilMs: 9, counterparty: `0x${'ab'.repeat(20)}`, kind: 'loan' } as const;
    expect(filterOf(settlementsLink(filter).slice('#/settlements/'.length))).toEqual(filter);
    expect(settlementsLink({ kind: undefined })).toBe('#/settlements');
    expect(filterOf(null)).toEqual({});
  });

  it('that no row could pass filters nothing', () => {
    for (const detail of ['kind=gift', 'fromMs=9&untilMs=5', 'counterparty=0x1', 'fromMs=x'])
      expect(filterOf(detail)).toEqual({});
  });

  it('is distinguished from the number of a row', () => {
    expect([placeOf('s0-12'), placeOf('s2-7-r')]).toEqual([
      { shard: 0, shardSeq: 12 },
      { shard: 2, shardSeq: 7 },
    ]);
    expect(['kind=loan', null, '12', 's1', 's-1-2'].map(placeOf)).toEqual([null, null, null, null, null]);
  });
});

describe('ownUrl', () => {
  it('uses the name that the page was opened with', () => {
    const page = { protocol: 'http:', port: '6878', origin: 'http://localhost:6878' };
    expect(ownUrl('http://127.0.0.1:6878/content/x?a=1', page)).toBe('http://localhost:6878/content/x?a=1');
  });

  it('leaves it alone in the desktop window', () => {
    const page = { protocol: 'app:', port: '', origin: 'app://ace-node' };
    expect(ownUrl('http://127.0.0.1:6878/content/x', page)).toBe('http://127.0.0.1:6878/content/x');
  });
});

describe('a day that is typed', () => {
  afterEach(() => overwriteGetLocale(() => 'en'));

  it.each([
    ['2026-11-21', '2026-11-21'],
    [' 21/11/2026 ', '2026-11-21'],
    ['1.2.2026', '2026-02-01'],
    ['21 . 11 . 2026', '2026-11-21'],
    ['31.02.2026', null],
    ['11/21/2026', null],
    ['21.11.26', null],
    ['', null],
    ['today', null],
  ])('"%s" is %s', (text, day) => {
    expect(readDay(text)).toBe(day);
  });

  it.each([
    ['en', '21/11/2026'],
    ['ru', '21.11.2026'],
  ] as const)('is shown in %s as %s, and can be typed so', (locale, text) => {
    overwriteGetLocale(() => locale);
    expect(formatDay('2026-11-21')).toBe(text);
    expect(readDay(text)).toBe('2026-11-21');
  });
});
