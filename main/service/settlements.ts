/** The settlement history as `shared/rpc/settlements.ts` shows it: pages, sums, and one row down to its signed records. */

import { LRUCache } from 'lru-cache';
import {
  decodeTerms,
  encodeCheckpoint,
  encodeLease,
  type SignedCheckpoint,
} from '../../shared/channel/records.ts';
import { formatAmount } from '../../shared/economy/money.ts';
import type { Payment } from '../../shared/economy/payment.ts';
import { formatRatio } from '../../shared/economy/ratio.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import {
  type DirectionSums,
  MAX_GROUPS,
  type PaymentPartView,
  type SettledChannelView,
  type SettlementDayView,
  type SettlementDetail,
  type SettlementFilter,
  type SettlementOutputs,
  type SettlementSums,
  type SignedRecordView,
} from '../../shared/rpc/settlements.ts';
import { type ChannelUnits, encodeStatement } from '../../shared/settlement/statement.ts';
import { type DayFilter, type DayGroup, NO_DAY_SUMS } from '../db/node/settlement-days.ts';
import type { HistoryPlace, HistorySums } from '../db/node/settlement-history.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import { titleName } from '../journal/sharing.ts';
import type { CheckedInput } from '../rpc/service.ts';
import { dayOf, endOfDay, startOfDay } from '../util/local-day.ts';
import { verifyDevice } from '../wallet/device.ts';
import { settlementView } from './views.ts';

export interface SettlementViewsContext {
  readonly store: NodeStore;
  /** This node's account, lower case. */
  readonly account: string;
  readonly settings: Pick<NetworkSettings, 'networkId' | 'validatorKeys'>;
}

type SettlementProcedures = {
  readonly [P in keyof SettlementOutputs]: (input: CheckedInput<P>) => Promise<SettlementOutputs[P]>;
};

/** Rows that are summed in one go; between two of them the node does other things. */
const SUM_ROWS = 20_000;
/** Filters whose sums are kept: asked for again, only newer rows are added. */
const MAX_KEPT_SUMS = 16;
const MAX_COUNTERPARTIES = 500;

export function settlementProcedures(context: SettlementViewsContext): SettlementProcedures {
  const { store } = context;
  const { settlementHistory: history } = store;
  const sums = new KeptSums(store);
  return {
    async settlementHistory({ filter, after, skip, limit }) {
      const rows = history.page(filter, after === undefined ? null : placeOf(after), skip, limit);
      const last = rows.at(-1);
      return {
        rows: rows.map(settlementView),
        next: last && rows.length === limit ? `${last.atMs}-${last.seq}` : null,
      };
    },
    async settlementDays({ filter, before, limit }) {
      const days = dayViews(store.settlementDays.days(dayFilter(filter), before ?? null, limit));
      return { days, next: days.length === limit ? (days.at(-1)?.day ?? null) : null };
    },
    settlementGroups: async ({ day, by, filter }) =>
      grouped(
        store.settlementDays.groups(by, { ...dayFilter(filter), fromDay: day, toDay: day }, MAX_GROUPS),
      ).map(([key, sums]) => ({ key, name: by === 'title' ? titleName(store, key) : null, ...sums })),
    settlementSums: ({ filter }) => sums.of(filter),
    settlementCounterparties: async () => history.counterparties(MAX_COUNTERPARTIES),
    async settlementDetail(place) {
      const row = 'seq' in place ? history.get(place.seq) : history.ofShard(place.shard, place.shardSeq);
      if (!row)
        throw new AceError('InvalidInput', 'There is no such settlement in this node’s history', {
          details: { reason: 'settlement-unknown' },
        });
      return detailView(row, context);
    },
  };
}

/** The history only grows, so sums are added to and never made anew. */
class KeptSums {
  readonly #store: NodeStore;
  readonly #kept = new LRUCache<string, { paid: HistorySums; earned: HistorySums; untilSeq: number }>({
    max: MAX_KEPT_SUMS,
  });

  constructor(store: NodeStore) {
    this.#store = store;
  }

  async of(filter: SettlementFilter): Promise<SettlementSums> {
    const { settlementHistory: history } = this.#store;
    const { fromMs, untilMs, counterparty, kind, contentId } = filter;
    const key = JSON.stringify([fromMs, untilMs, counterparty, kind, contentId]);
    const lastSeq = history.lastSeq();
    let sums = this.#kept.get(key) ?? { ...history.sums(filter, 0, 0), untilSeq: 0 };
    while (sums.untilSeq < lastSeq) {
      // An index finds the rows of one counterparty, wherever they are; all others are read in the order of the file.
      const untilSeq =
        filter.counterparty === undefined ? Math.min(lastSeq, sums.untilSeq + SUM_ROWS) : lastSeq;
      const more = history.sums(filter, sums.untilSeq, untilSeq);
      sums = { paid: added(sums.paid, more.paid), earned: added(sums.earned, more.earned), untilSeq };
      if (untilSeq < lastSeq) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#kept.set(key, sums);
    const [paid, earned] = [sumsView(sums.paid), sumsView(sums.earned)];
    return { count: paid.count + earned.count, paid, earned };
  }
}

/** Days are those of the clock of this node's machine. */
function dayFilter({ fromMs, untilMs, counterparty, kind }: SettlementFilter): DayFilter {
  return {
    counterparty,
    kind,
    fromDay: fromMs === undefined ? undefined : dayOf(fromMs),
    toDay: untilMs === undefined ? undefined : dayOf(untilMs - 1),
  };
}

function dayViews(days: readonly DayGroup[]): SettlementDayView[] {
  return grouped(days).map(([day, sums]) => ({
    day,
    fromMs: startOfDay(day),
    untilMs: endOfDay(day),
    ...sums,
  }));
}

/** Both directions of each key, in their order. */
function grouped(groups: readonly DayGroup[]): [key: string, sums: SettlementSums][] {
  return [...Map.groupBy(groups, ({ key }) => key)].map(([key, both]) => {
    const of = (direction: SettlementRow['direction']) =>
      sumsView(both.find((group) => group.direction === direction) ?? NO_DAY_SUMS);
    const [paid, earned] = [of('paid'), of('earned')];
    return [key, { count: paid.count + earned.count, paid, earned }];
  });
}

function added(a: HistorySums, b: HistorySums): HistorySums {
  const keys = Object.keys(a) as (keyof HistorySums)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as HistorySums;
}

function sumsView(sums: HistorySums): DirectionSums {
  return {
    count: Number(sums.count),
    paidUnits: Number(sums.paidUnits),
    creditUnits: Number(sums.creditUnits),
    refusedUnits: Number(sums.refusedUnits),
    repaidUnits: Number(sums.repaidUnits),
    grossXac: formatAmount(sums.grossXac),
    feeXac: formatAmount(sums.feeXac),
    netXac: formatAmount(sums.grossXac - sums.feeXac),
    xatBurned: formatAmount(sums.xatBurned),
    xasPaid: formatAmount(sums.xasPaid),
    feeXas: formatAmount(sums.feeXas),
  };
}

function detailView(row: SettlementRow, context: SettlementViewsContext): SettlementDetail {
  const { detail } = row;
  return {
    row: settlementView(row),
    feeXas: formatAmount(row.feeXas),
    stillOwedUnits: context.store.credits.openUnitsOf(row.seq),
    xacPerUnit: formatRatio(row.price),
    repayment: detail?.repayment ? partView(row.repaidUnits, detail.repayment) : null,
    payment: detail?.payment ? partView(row.paidUnits, detail.payment) : null,
    statement: statementView(row, context),
    channels: detail?.channels.map((channel) => channelView(channel, row.direction, context)) ?? [],
  };
}

function partView(units: number, payment: Payment): PaymentPartView {
  return {
    units,
    fromXac: formatAmount(payment.xacFromPayer),
    xatBurned: formatAmount(payment.xatBurned),
    emittedXac: formatAmount(payment.xacEmitted),
    fromXas: formatAmount(payment.xasFromPayer),
    feeXac: formatAmount(payment.feeXac),
    feeXas: formatAmount(payment.feeXas),
    netXac: formatAmount(payment.payeeXac),
    netXas: formatAmount(payment.payeeXas),
  };
}

/** The bytes that the shard signed are those of the row: one statement has exactly one encoding. */
function statementView(
  row: SettlementRow,
  { account, settings }: SettlementViewsContext,
): SignedRecordView | null {
  const key = settings.validatorKeys[row.shard];
  if (!row.signature || key === undefined) return null;
  const { networkId } = settings;
  const record = encodeStatement({ ...row, seq: row.shardSeq, networkId, account });
  return signedView(record, [['shard', fromHex(key), row.signature]]);
}

function channelView(
  { channelId, units }: ChannelUnits,
  direction: SettlementRow['direction'],
  { store, settings }: SettlementViewsContext,
): SettledChannelView {
  const place = { channelId: toHex(channelId), units };
  const payee = direction === 'earned' ? store.payeeChannels.get(channelId) : null;
  const row = payee ?? (direction === 'paid' ? store.payerChannels.get(channelId) : null);
  if (!row) return { ...place, kept: null };
  const { payerDevice, payeeDevice, capacityUnits, expiresAtMs, shard } = decodeTerms(row.terms);
  const shardKey = settings.validatorKeys[shard];
  const lease = encodeLease({ channelId, shard, capacityUnits, expiresAtMs });
  const kept: SettledChannelView['kept'] = {
    openedAtMs: row.openedAtMs,
    capacityUnits,
    terms: signedView(row.terms, [['payer', payerDevice, row.termsSignature]]),
    lease:
      row.leaseSignature && shardKey !== undefined
        ? signedView(lease, [['shard', fromHex(shardKey), row.leaseSignature]])
        : null,
    checkpoint: row.lastCheckpoint && checkpointView(row.lastCheckpoint, payerDevice, payeeDevice),
    tick: payee ? { units: payee.state.paidUnits, value: toHex(payee.state.tick) } : null,
  };
  return { ...place, kept };
}

function checkpointView(
  { checkpoint, payerSignature, payeeSignature }: SignedCheckpoint,
  payerDevice: Uint8Array,
  payeeDevice: Uint8Array,
): NonNullable<SettledChannelView['kept']>['checkpoint'] {
  const { number, units, bytes, watchMs, final } = checkpoint;
  const signed = signedView(encodeCheckpoint(checkpoint), [
    ['payer', payerDevice, payerSignature],
    ...(payeeSignature ? ([['payee', payeeDevice, payeeSignature]] as const) : []),
  ]);
  return { ...signed, number, units, bytes, watchMs, final };
}

function signedView(
  record: Uint8Array,
  signatures: readonly (readonly [by: 'payer' | 'payee' | 'shard', key: Uint8Array, signature: Uint8Array])[],
): SignedRecordView {
  return {
    record: toHex(record),
    signatures: signatures.map(([by, key, signature]) => ({
      by,
      key: toHex(key),
      signature: toHex(signature),
      valid: verifyDevice(key, record, signature),
    })),
  };
}

/** The input's schema has checked it. */
function placeOf(cursor: string): HistoryPlace {
  const [atMs, seq] = cursor.split('-').map(Number) as [number, number];
  return { atMs, seq };
}
