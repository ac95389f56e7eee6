/**
 * The strip on every page, in words: whether the node works, and what keeps it from sharing. It never says that all is
 * well while something stands still.
 */
import { parseAmount } from '../../shared/economy/money.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { Stop } from '../../shared/limits.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import type { LinkState } from '../state/link.ts';
import { shortAmount, withToken } from './amount.ts';
import { creditEndsSoon } from './credit-warning.ts';
import { untilText } from './schedule-words.ts';
import { nearSpendingLimit, usedPercent } from './spending-words.ts';
import { formatLong } from './time.ts';
import { creditAmount, formatBytes } from './traffic.ts';

export interface StripNote {
  readonly id: 'clock' | 'stopped' | 'disk' | 'locked' | 'top-up' | 'spending' | 'credit';
  readonly text: string;
  /** Where something can be done about it; `null` where that is not on these pages. */
  readonly href: string | null;
  readonly warn: boolean;
}

export interface StripWords {
  readonly state: string;
  /** Connected, running, and nothing stands still. */
  readonly working: boolean;
  /** The figures beside it are of this moment, or at least of this run. */
  readonly figures: boolean;
  readonly notes: readonly StripNote[];
}

/** With less the books cannot be written, and nothing is paid or sent that is not in the books. */
const LEAST_FREE_BYTES = 32 * 2 ** 20;

export function stripWords(
  link: LinkState,
  wallet: WalletStateView | null,
  snapshot: NodeSnapshot | null,
): StripWords {
  const online = link === 'connected';
  if (online && wallet !== null && !wallet.running)
    return { state: notStarted(wallet), working: false, figures: false, notes: [] };
  // What was heard last may have changed since.
  const notes = online && snapshot !== null ? notesOf(wallet, snapshot) : [];
  const connected = snapshot?.shard.connected ?? true;
  return {
    state: online ? connectedWords(snapshot) : LINKS[link](),
    working: online && connected && !notes.some(({ warn }) => warn),
    figures: snapshot !== null,
    notes,
  };
}

const LINKS = {
  connecting: m.strip_connecting,
  connected: m.strip_connected,
  lost: m.strip_unreachable,
  refused: m.strip_refused,
  'no-token': m.strip_no_key,
} as const satisfies Record<LinkState, () => string>;

function connectedWords(snapshot: NodeSnapshot | null): string {
  if (snapshot === null) return m.strip_connected();
  const count = snapshot.peers;
  return snapshot.shard.connected ? m.strip_connected_peers({ count }) : m.strip_no_validator({ count });
}

function notStarted({ status, failure }: WalletStateView): string {
  if (status === 'none') return m.strip_no_wallet();
  if (status === 'locked') return m.strip_not_started_locked();
  return failure?.code === 'ShardUnavailable' ? m.strip_not_started_network() : m.strip_not_started();
}

function notesOf(wallet: WalletStateView | null, snapshot: NodeSnapshot): readonly StripNote[] {
  const clock = clockWords(snapshot);
  const stopped = stoppedWords(snapshot);
  return [
    ...(clock === null ? [] : [note('clock', clock, null)]),
    ...(isDiskFull(snapshot) ? [note('disk', m.strip_disk_full(), '#/settings')] : []),
    ...(stopped === null ? [] : [note('stopped', stopped, '#/settings')]),
    ...moneyNotes(snapshot),
    // It goes on streaming and earning, so nothing is wrong.
    ...(wallet?.status === 'locked' ? [note('locked', m.strip_locked(), '#/wallet', false)] : []),
  ];
}

const TOP_UPS: Partial<Record<NodeSnapshot['autoTopUp']['state'], () => string>> = {
  locked: m.strip_topup_locked,
  clock: m.strip_topup_clock,
  waiting: m.strip_topup_waiting,
  'main-empty': m.strip_topup_main_empty,
  'day-used': m.strip_topup_day_used,
  'month-used': m.strip_topup_month_used,
};

/** What will stop soon for want of money, while nothing stands still yet. */
function moneyNotes(snapshot: NodeSnapshot): readonly StripNote[] {
  const topUp = TOP_UPS[snapshot.autoTopUp.state];
  const near = nearSpendingLimit(snapshot);
  const isStopped = snapshot.limits.stops.some(({ reason }) => reason.startsWith('spend-'));
  const low = creditEndsSoon(snapshot);
  return [
    ...(topUp === undefined ? [] : [note('top-up', topUp(), '#/wallet')]),
    ...(near === null || isStopped
      ? []
      : [
          note(
            'spending',
            (near.period === 'day' ? m.strip_spending_day : m.strip_spending_month)({
              percent: usedPercent(near),
            }),
            '#/settings',
            false,
          ),
        ]),
    ...(low === null
      ? []
      : [note('credit', m.strip_credit_low({ left: creditAmount(low.creditUnits) }), '#/credit', false)]),
  ];
}

function note(id: StripNote['id'], text: string, href: string | null, warn = true): StripNote {
  return { id, text, href, warn };
}

function clockWords({ clock, shard }: NodeSnapshot): string | null {
  if (clock === null) return shard.clockJumped ? m.strip_validator_clock() : null;
  const span = formatLong(Math.abs(clock.aheadMs));
  return clock.aheadMs > 0 ? m.strip_clock_ahead({ span }) : m.strip_clock_behind({ span });
}

function isDiskFull({ diskFreeBytes, transfers }: NodeSnapshot): boolean {
  if (diskFreeBytes !== null && diskFreeBytes < LEAST_FREE_BYTES) return true;
  return transfers.some(({ state, reason }) => state === 'paused' && reason?.code === 'StoreFailed');
}

/** By which of the user's own limits, and until when. What stops both ways is said of both. */
function stoppedWords({ limits }: NodeSnapshot): string | null {
  const [first, second] = limits.stops;
  if (first === undefined) return null;
  if (second === undefined || second.reason !== first.reason) {
    const stop = limits.stops.find(({ direction }) => direction === 'upload') ?? first;
    const what = stop.direction === 'upload' ? m.strip_sharing() : m.strip_fetching();
    return stopWords(what, stop, limits.settings);
  }
  return stopWords(m.strip_traffic(), first, limits.settings);
}

function stopWords(what: string, stop: Stop, settings: NodeSnapshot['limits']['settings']): string {
  const cap = (bytes: number | null) => formatBytes(bytes ?? 0);
  const xac = (text: string | null) => withToken(shortAmount(parseAmount(text ?? '0')), 'XAC');
  switch (stop.reason) {
    case 'setting':
      return m.strip_stop_setting({ what });
    case 'connections':
      return m.strip_stop_connections({ what });
    case 'schedule':
      return stop.until === null
        ? m.strip_stop_schedule({ what })
        : m.strip_stop_schedule_until({ what, time: untilText(stop.until) });
    case 'data-per-day':
      return m.strip_stop_day({ what, cap: cap(settings.dataPerDayBytes) });
    case 'data-per-month':
      return m.strip_stop_month({ what, cap: cap(settings.dataPerMonthBytes) });
    case 'spend-per-day':
      return m.strip_stop_spend_day({ amount: xac(settings.spendPerDayXac) });
    case 'spend-per-month':
      return m.strip_stop_spend_month({ amount: xac(settings.spendPerMonthXac) });
  }
}
