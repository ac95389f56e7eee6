import { afterEach, describe, expect, it } from 'vitest';
import { sharingSentence } from '../../../renderer/format/sharing-words.ts';
import { overwriteGetLocale } from '../../../shared/i18n/compiled/runtime.js';
import type { SharingReport } from '../../../shared/rpc/sharing.ts';

const GIB = 2 ** 30;
const NOTHING: SharingReport = {
  ...{ period: 'week', asOfMs: 0, days: [], peers: [], titles: [] },
  ...{ sentBytes: 0, paidUnits: 0, creditUnits: 0, refusedUnits: 0, repaidUnits: 0 },
  ...{ earnedXac: '0.0000000', repaidXac: '0.0000000', earnedXas: '0.0000000', feeXac: '0.0000000' },
  ...{ pendingUnits: 0, pendingXac: null, owedUnits: 0, owedXac: null, owedSinceMs: null },
};
/** One XAT buys an hour of video, and is 0.035 XAC. */
const sentence = (report: Partial<SharingReport>) => sharingSentence({ ...NOTHING, ...report }, '7/200');

afterEach(() => overwriteGetLocale(() => 'en'));

describe('whether it is worth leaving the node on', () => {
  it('is what came, in video, for what was sent', () => {
    const report = { sentBytes: 12 * GIB, earnedXac: '0.1000000', repaidXac: '0.0400000' };
    expect(sentence(report)).toBe(
      'You sent 12.0\u00a0GB in the last 7\u00a0days. What came for it buys about 4\u00a0hours of video.',
    );
    overwriteGetLocale(() => 'ru');
    expect(sentence(report)).toBe(
      'За последние 7\u00a0дней отдано 12,0\u00a0ГБ. Полученного хватит на просмотр: около 4\u00a0часов видео.',
    );
  });

  it('is what comes next, while nothing has come', () => {
    const sentBytes = 3 * 2 ** 20;
    expect(sentence({})).toContain('Nothing was sent');
    expect(sentence({ sentBytes, pendingUnits: 3 })).toContain('The next settlement brings');
    expect(sentence({ sentBytes, owedUnits: 3, period: 'today' })).toBe(
      'You sent 3\u00a0MiB today. It was taken on credit, and comes when the viewers have funds.',
    );
  });
});
