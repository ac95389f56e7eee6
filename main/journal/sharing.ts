/**
 * What sharing has brought: the one place where these figures are made, for pages, `ace-node status` and exports. What was
 * sent is of the traffic's book, which each piece is booked in; money and loans are of the sums of settlements; what is on
 * its way is of the channels. Nothing here is added up twice in another way.
 */
import type { OpenCredit } from '../db/node/credits.ts';
import { type DaySums, NO_DAY_SUMS } from '../db/node/settlement-days.ts';
import type { NodeStore } from '../db/node/store.ts';

export type SharingBooks = Pick<
  NodeStore,
  'traffic' | 'settlementDays' | 'settledChannels' | 'credits' | 'channelContents' | 'contents' | 'broadcasts'
>;

/** Of some days; money in base units, after the fee. */
export interface SharingFigures {
  readonly sentBytes: number;
  /** Units settled: paid at once, on credit, refused; and units of loans of before, repaid. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  readonly earnedXac: bigint;
  readonly repaidXac: bigint;
  readonly earnedXas: bigint;
  /** What went to the network of all this. */
  readonly feeXac: bigint;
}

/** What is not paid at this moment, whenever it was sent. */
export interface OpenFigures {
  readonly pendingUnits: number;
  readonly owedUnits: number;
  /** Of the oldest loan. */
  readonly owedSinceMs: number | null;
}

export interface SharingGroup extends SharingFigures, OpenFigures {
  /** An account, or a content id: '' of titles that this node does not know. */
  readonly key: string;
}

export interface TitleEarned extends Pick<SharingFigures, 'earnedXac' | 'repaidXac' | 'earnedXas'> {
  readonly contentId: string;
}

/** Days such as 2026-11-20, both included. */
export interface SharingDays {
  readonly fromDay: string;
  readonly toDay: string;
}

export const ALL_DAYS: SharingDays = { fromDay: '0000-00-00', toDay: '~' };
const NOTHING_OPEN: OpenFigures = { pendingUnits: 0, owedUnits: 0, owedSinceMs: null };

export function sharingSums({ traffic, settlementDays }: SharingBooks, days: SharingDays): SharingFigures {
  const { upBytes } = traffic.sums(days.fromDay, days.toDay);
  return figures(upBytes, settlementDays.sums({ ...days, direction: 'earned' }));
}

/** Newest first; days on which nothing happened are left out. */
export function sharingByDay(
  { traffic, settlementDays }: SharingBooks,
  { fromDay, toDay }: SharingDays,
  limit: number,
): (SharingFigures & { readonly day: string })[] {
  const sent = new Map(
    traffic
      .days(fromDay)
      .filter(({ day, upBytes }) => day <= toDay && upBytes > 0)
      .map(({ day, upBytes }) => [day, upBytes] as const),
  );
  const settled = new Map(
    settlementDays
      .days({ fromDay, toDay, direction: 'earned' }, null, limit)
      .map((sums) => [sums.key, sums] as const),
  );
  return [...new Set([...sent.keys(), ...settled.keys()])]
    .toSorted((a, b) => (a < b ? 1 : -1))
    .slice(0, limit)
    .map((day) => ({ day, ...figures(sent.get(day) ?? 0, settled.get(day) ?? NO_DAY_SUMS) }));
}

/** Those to whom, or of which, most was sent first. Who owes something is among them, whenever that was. */
export function sharingBy(
  by: 'peer' | 'title',
  books: SharingBooks,
  days: SharingDays,
  limit: number,
): SharingGroup[] {
  const sent = new Map(
    books.traffic.sentBy(by, days.fromDay, days.toDay).map(({ key, upBytes }) => [key, upBytes] as const),
  );
  const settled = new Map(
    books.settlementDays
      .groups(by, { ...days, direction: 'earned' }, Number.MAX_SAFE_INTEGER)
      .map((sums) => [sums.key, sums] as const),
  );
  const open = openBy(by, books);
  return [...new Set([...sent.keys(), ...settled.keys(), ...open.keys()])]
    .map((key) => ({
      key,
      ...figures(sent.get(key) ?? 0, settled.get(key) ?? NO_DAY_SUMS),
      ...(open.get(key) ?? NOTHING_OPEN),
    }))
    .toSorted((a, b) => b.sentBytes - a.sentBytes || b.owedUnits - a.owedUnits || (a.key < b.key ? -1 : 1))
    .slice(0, limit);
}

/** What each title brought in all, as `sharingBy` has it; those that brought nothing are left out. */
export function earnedByTitle({ settlementDays }: Pick<SharingBooks, 'settlementDays'>): TitleEarned[] {
  return settlementDays
    .groups('title', { direction: 'earned' }, Number.MAX_SAFE_INTEGER)
    .map((sums) => ({ contentId: sums.key, ...figures(0, sums) }))
    .filter((title) => title.earnedXac + title.repaidXac + title.earnedXas > 0n);
}

export function openSums({ credits, settledChannels }: SharingBooks): OpenFigures {
  const owed = credits.open('earned');
  return {
    pendingUnits: settledChannels.pendingUnits('earned'),
    owedUnits: owed.reduce((sum, { units }) => sum + units, 0),
    owedSinceMs: owed[0]?.sinceMs ?? null,
  };
}

/** Who owes this account, the oldest debt first. */
export function debtors({ credits }: Pick<SharingBooks, 'credits'>): Omit<OpenCredit, 'contentId'>[] {
  const byAccount = new Map<string, Omit<OpenCredit, 'contentId'>>();
  for (const { counterparty, units, sinceMs } of credits.open('earned')) {
    const known = byAccount.get(counterparty) ?? { counterparty, units: 0, sinceMs };
    byAccount.set(counterparty, {
      counterparty,
      units: known.units + units,
      sinceMs: Math.min(known.sinceMs, sinceMs),
    });
  }
  return [...byAccount.values()];
}

/** Of each day, each title and each peer, oldest day first: what an export has. */
export interface SharingRow extends SharingFigures {
  readonly day: string;
  readonly contentId: string;
  readonly account: string;
}

/** In memory is one day. */
export function* sharingRows(
  { traffic, settlementDays }: SharingBooks,
  days: SharingDays,
): Generator<SharingRow> {
  const { fromDay, toDay } = days;
  const sent = traffic.rows(fromDay, toDay);
  const settled = settlementDays.rows({ ...days, direction: 'earned' });
  let [nextSent, nextSettled] = [sent.next(), settled.next()];
  while (!nextSent.done || !nextSettled.done) {
    const coming = [
      nextSent.done ? [] : nextSent.value.day,
      nextSettled.done ? [] : nextSettled.value.day,
    ].flat();
    const day = coming.toSorted()[0] ?? '';
    const rows = new Map<string, { contentId: string; account: string; upBytes: number; sums: DaySums }>();
    for (; !nextSent.done && nextSent.value.day === day; nextSent = sent.next()) {
      const { contentId, account, upBytes } = nextSent.value;
      if (upBytes > 0)
        rows.set(`${contentId} ${account}`, { contentId, account, upBytes, sums: NO_DAY_SUMS });
    }
    for (; !nextSettled.done && nextSettled.value.day === day; nextSettled = settled.next()) {
      const { contentId, counterparty: account, ...sums } = nextSettled.value;
      const key = `${contentId} ${account}`;
      rows.set(key, { contentId, account, upBytes: rows.get(key)?.upBytes ?? 0, sums });
    }
    for (const { contentId, account, upBytes, sums } of rows.values())
      yield { day, contentId, account, ...figures(upBytes, sums) };
  }
}

export interface OpenPart extends OpenFigures {
  readonly account: string;
  readonly contentId: string;
}

/** What is not paid at this moment, by peer and title; one of them may be there several times. */
export function openParts({ credits, settledChannels, channelContents }: SharingBooks): OpenPart[] {
  const owed = credits.open('earned').map(({ counterparty, contentId, units, sinceMs }) => ({
    ...{ account: counterparty, contentId },
    ...{ pendingUnits: 0, owedUnits: units, owedSinceMs: sinceMs },
  }));
  const pending = settledChannels.pending('earned').flatMap(({ channelId, counterparty, units }) => {
    const titles = channelContents.unsettled(channelId, units).filter((title) => title.units > 0);
    return (titles.length > 0 ? titles : [{ contentId: '', units }]).map((title) => ({
      ...{ account: counterparty, contentId: title.contentId },
      ...{ ...NOTHING_OPEN, pendingUnits: title.units },
    }));
  });
  return [...owed, ...pending];
}

/** `null` of a title that was removed, or is not known. */
export function titleName({ contents, broadcasts }: SharingBooks, contentId: string): string | null {
  return contents.file(contentId)?.name ?? broadcasts.get(contentId)?.name ?? null;
}

function openBy(by: 'peer' | 'title', books: SharingBooks): Map<string, OpenFigures> {
  const open = new Map<string, OpenFigures>();
  for (const { account, contentId, ...more } of openParts(books)) {
    const key = by === 'peer' ? account : contentId;
    const known = open.get(key) ?? NOTHING_OPEN;
    const since = [known.owedSinceMs, more.owedSinceMs].flatMap((atMs) => atMs ?? []);
    open.set(key, {
      pendingUnits: known.pendingUnits + more.pendingUnits,
      owedUnits: known.owedUnits + more.owedUnits,
      owedSinceMs: since.length === 0 ? null : Math.min(...since),
    });
  }
  return open;
}

function figures(sentBytes: number, sums: DaySums): SharingFigures {
  const netXac = sums.grossXac - sums.feeXac;
  return {
    sentBytes,
    paidUnits: Number(sums.paidUnits),
    creditUnits: Number(sums.creditUnits),
    refusedUnits: Number(sums.refusedUnits),
    repaidUnits: Number(sums.repaidUnits),
    earnedXac: netXac - sums.repaidNetXac,
    repaidXac: sums.repaidNetXac,
    earnedXas: sums.xasPaid - sums.feeXas,
    feeXac: sums.feeXac,
  };
}
