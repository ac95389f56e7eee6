/**
 * What settlements add up to by day, peer and title, and which loans are open: kept with each settlement, in its
 * transaction, so that a page of any length of history reads a few rows. All of it is made of settlements, of what their
 * channels carried, and of nothing else.
 */
import type { Payment } from '../../shared/economy/payment.ts';
import { splitAmount, takeUnits } from '../../shared/settlement/shares.ts';
import type { ContentUnits } from '../db/node/channel-contents.ts';
import { type DayPart, KIND_BITS, NO_DAY_SUMS } from '../db/node/settlement-days.ts';
import type { NewSettlement, SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import { dayOf } from '../util/local-day.ts';

export type DayBooks = Pick<
  NodeStore,
  'settlements' | 'settlementDays' | 'settledChannels' | 'credits' | 'channelContents' | 'meta'
>;

/** Settlements that one step takes up: the node does other things between two of them. */
const STEP_ROWS = 1_000;
/** A part of which this node does not know the title. */
const UNKNOWN = '';

/** Takes up all settlements that are not in the sums yet: the one just booked, as a rule. Belongs in a transaction. */
export function bookDays(store: DayBooks): void {
  while (bookSome(store));
}

/** Takes up those of before the sums were kept. @throws AceError `StoreFailed` */
export async function catchUpDays(store: DayBooks & Pick<NodeStore, 'commit'>): Promise<void> {
  while (store.commit(() => bookSome(store))) await new Promise((resolve) => setImmediate(resolve));
}

/** @returns whether there may be more */
function bookSome(store: DayBooks): boolean {
  const rows = store.settlements.after(Number(store.meta.get('settlementDaysUntil') ?? 0), STEP_ROWS);
  for (const row of rows) book(store, row);
  const last = rows.at(-1);
  if (last) store.meta.set('settlementDaysUntil', String(last.seq));
  return rows.length === STEP_ROWS;
}

/** Books on its channels what a statement has settled. The answer is by title, those with most units first. */
export function settleChannels(
  { settledChannels, channelContents }: DayBooks,
  { detail }: Pick<NewSettlement, 'detail'>,
): ContentUnits[] {
  const units = new Map<string, number>();
  for (const channel of detail?.channels ?? []) {
    settledChannels.add(channel.channelId, channel.units);
    for (const share of channelContents.settle(channel.channelId, channel.units)) add(units, share);
  }
  return listed(units);
}

function book(store: DayBooks, row: SettlementRow): void {
  const { direction, counterparty, paidUnits, creditUnits, refusedUnits, repaidUnits, seq, atMs } = row;
  const titles = withRest(settleChannels(store, row), paidUnits + creditUnits + refusedUnits);
  // Loans of before are repaid first: what this settlement lends is none of them.
  const repaid = new Map<string, number>();
  for (const part of store.credits.repay(direction, counterparty, repaidUnits)) add(repaid, part);
  const parts = [...trafficParts(row, titles), ...repaymentParts(row, listed(repaid))];
  for (const { contentId, creditUnits } of parts) {
    const units = Number(creditUnits);
    if (units > 0) store.credits.add({ direction, counterparty, seq, contentId, atMs, units });
  }
  store.settlementDays.add(seq, merged(row, parts));
}

type Part = Omit<DayPart, 'day' | 'direction' | 'counterparty' | 'kinds' | 'count'>;

function part(contentId: string, figures: Partial<Part>): Part {
  const { count: _, ...nothing } = NO_DAY_SUMS;
  return { contentId, ...nothing, ...figures };
}

/** What the traffic of the settlement was, and what was paid for it at once. */
function trafficParts(row: SettlementRow, titles: readonly ContentUnits[]): Part[] {
  const units = titles.map((title) => title.units);
  const paid = takeUnits(row.paidUnits, units);
  const onCredit = takeUnits(
    row.creditUnits,
    units.map((all, i) => all - (paid[i] ?? 0)),
  );
  const money = moneyParts(row).payment;
  const split = (name: keyof Money) => splitAmount(money[name], paid);
  const [grossXac, feeXac, xatBurned, xasPaid, feeXas] = [
    split('grossXac'),
    split('feeXac'),
    split('xatBurned'),
    split('xasPaid'),
    split('feeXas'),
  ];
  return titles.map((title, i) => {
    const [paidUnits, creditUnits] = [paid[i] ?? 0, onCredit[i] ?? 0];
    return part(title.contentId, {
      paidUnits: BigInt(paidUnits),
      creditUnits: BigInt(creditUnits),
      refusedUnits: BigInt(title.units - paidUnits - creditUnits),
      grossXac: grossXac[i] ?? 0n,
      feeXac: feeXac[i] ?? 0n,
      xatBurned: xatBurned[i] ?? 0n,
      xasPaid: xasPaid[i] ?? 0n,
      feeXas: feeXas[i] ?? 0n,
    });
  });
}

/** What loans of before it repaid, by the titles that they were for. */
function repaymentParts(row: SettlementRow, repaid: readonly ContentUnits[]): Part[] {
  const money = moneyParts(row).repayment;
  const units = repaid.map((title) => title.units);
  const shares = {
    grossXac: splitAmount(money.grossXac, units),
    feeXac: splitAmount(money.feeXac, units),
    xatBurned: splitAmount(money.xatBurned, units),
    xasPaid: splitAmount(money.xasPaid, units),
    feeXas: splitAmount(money.feeXas, units),
  };
  return repaid.map((title, i) => {
    const [grossXac, feeXac] = [shares.grossXac[i] ?? 0n, shares.feeXac[i] ?? 0n];
    return part(title.contentId, {
      repaidUnits: BigInt(title.units),
      ...{ grossXac, feeXac, repaidNetXac: grossXac - feeXac },
      xatBurned: shares.xatBurned[i] ?? 0n,
      xasPaid: shares.xasPaid[i] ?? 0n,
      feeXas: shares.feeXas[i] ?? 0n,
    });
  });
}

type Money = Pick<SettlementRow, 'grossXac' | 'feeXac' | 'xatBurned' | 'xasPaid' | 'feeXas'>;

/** What was paid at once, and what for loans. An old shard did not say: then it is split by units, of one price both. */
function moneyParts(row: SettlementRow): { readonly payment: Money; readonly repayment: Money } {
  if (row.detail) return { payment: moneyOf(row.detail.payment), repayment: moneyOf(row.detail.repayment) };
  const units = [row.paidUnits, row.repaidUnits];
  const of = (i: number): Money => {
    const share = (name: keyof Money) => splitAmount(row[name], units)[i] ?? 0n;
    return {
      grossXac: share('grossXac'),
      feeXac: share('feeXac'),
      xatBurned: share('xatBurned'),
      xasPaid: share('xasPaid'),
      feeXas: share('feeXas'),
    };
  };
  return { payment: of(0), repayment: of(1) };
}

function moneyOf(payment: Payment | null): Money {
  return {
    grossXac: payment ? payment.xacFromPayer + payment.xacEmitted : 0n,
    feeXac: payment?.feeXac ?? 0n,
    xatBurned: payment?.xatBurned ?? 0n,
    xasPaid: payment?.xasFromPayer ?? 0n,
    feeXas: payment?.feeXas ?? 0n,
  };
}

/** One part for each title; the first stands for the settlement itself. */
function merged(row: SettlementRow, parts: readonly Part[]): DayPart[] {
  const byTitle = new Map<string, Part>();
  for (const one of parts.length > 0 ? parts : [part(UNKNOWN, {})]) {
    const known = byTitle.get(one.contentId);
    byTitle.set(one.contentId, known ? sum(known, one) : one);
  }
  const { direction, counterparty } = row;
  const place = { day: dayOf(row.atMs), direction, counterparty, kinds: kindsOf(row) };
  return [...byTitle.values()].map((one, i) => ({ ...place, ...one, count: i === 0 ? 1n : 0n }));
}

function sum({ contentId, ...a }: Part, b: Part): Part {
  const names = Object.keys(a) as (keyof typeof a)[];
  return { contentId, ...(Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as typeof a) };
}

function kindsOf({ paidUnits, creditUnits, refusedUnits, repaidUnits }: SettlementRow): number {
  return (
    (paidUnits > 0 ? KIND_BITS.paid : 0) |
    (creditUnits > 0 ? KIND_BITS.credit : 0) |
    (refusedUnits > 0 ? KIND_BITS.refused : 0) |
    (repaidUnits > 0 ? KIND_BITS.repaid : 0)
  );
}

/** Units of channels that this node does not know, such as another device's. */
function withRest(titles: readonly ContentUnits[], units: number): ContentUnits[] {
  const taken = takeUnits(
    units,
    titles.map((title) => title.units),
  );
  const known = titles.map(({ contentId }, i) => ({ contentId, units: taken[i] ?? 0 }));
  const left = units - taken.reduce((all, one) => all + one, 0);
  return left > 0 ? [...known, { contentId: UNKNOWN, units: left }] : known;
}

function add(units: Map<string, number>, { contentId, units: more }: ContentUnits): void {
  if (more > 0) units.set(contentId, (units.get(contentId) ?? 0) + more);
}

function listed(units: ReadonlyMap<string, number>): ContentUnits[] {
  return [...units]
    .map(([contentId, count]) => ({ contentId, units: count }))
    .toSorted((a, b) => b.units - a.units);
}
