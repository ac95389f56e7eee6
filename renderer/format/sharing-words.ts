/** Whether it is worth leaving the node on, in a sentence or two. */
import { parseAmount } from '../../shared/economy/money.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { SharingPeriod, SharingReport } from '../../shared/rpc/sharing.ts';
import { formatBytes } from './traffic.ts';
import { videoTime, xatWorth } from './video-time.ts';

export const PERIOD_NAMES = {
  today: m.traffic_today,
  week: m.sharing_week,
  month: m.traffic_month,
  all: m.traffic_all,
} as const satisfies Record<SharingPeriod, () => string>;

const IN_PERIOD = {
  today: m.sharing_sent_today,
  week: m.sharing_sent_week,
  month: m.sharing_sent_month,
  all: m.sharing_sent_all,
} as const;

/** All that came in the time: at once, and for loans of before. Base units, after the fee. */
export function gotXac({ earnedXac, repaidXac }: Pick<SharingReport, 'earnedXac' | 'repaidXac'>): bigint {
  return parseAmount(earnedXac) + parseAmount(repaidXac);
}

/** What was sent for it, and what it buys; what comes next where nothing has come yet. */
export function sharingSentence(report: SharingReport, xacPerXat: string | null): string {
  const { period, sentBytes, pendingUnits, owedUnits } = report;
  const got = gotXac(report);
  const sent = IN_PERIOD[period]({ sent: formatBytes(sentBytes) });
  if (got > 0n) {
    const time = xacPerXat === null ? '' : videoTime(xatWorth(got, xacPerXat));
    return time === '' ? sent : `${sent} ${m.sharing_buys({ time })}`;
  }
  if (sentBytes === 0) return m.sharing_nothing();
  if (pendingUnits > 0) return `${sent} ${m.sharing_next_settlement()}`;
  return owedUnits > 0 ? `${sent} ${m.sharing_next_repayment()}` : sent;
}
