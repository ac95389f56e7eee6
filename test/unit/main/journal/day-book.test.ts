import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { bookDays, catchUpDays } from '../../../../main/journal/day-book.ts';
import {
  ALL_DAYS,
  earnedByTitle,
  openSums,
  sharingBy,
  sharingByDay,
  sharingRows,
  sharingSums,
} from '../../../../main/journal/sharing.ts';
import { dayOf } from '../../../../main/util/local-day.ts';
import type { Payment } from '../../../../shared/economy/payment.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { testAddress } from '../../../helpers/chain.ts';
import { insertSettlements } from '../../../helpers/settlements.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const MIB = 1_048_576;
const NOON_MS = new Date(2026, 10, 20, 12, 0).getTime();
const DAY_MS = 86_400_000;
const [ANN, BOB] = [testAddress(1), testAddress(2)];
const idOf = (n: number) => new Uint8Array(32).fill(n);

let store: NodeStore;
beforeEach(() => {
  store = openNodeStore(join(tempDir(), 'node.db'));
});

/** A channel of `payer` on which this node sent these titles, all of it paid by ticks. */
function served(
  n: number,
  payer: string,
  titles: Readonly<Record<string, number>>,
  atMs = NOON_MS,
): Uint8Array {
  const [channelId, bytes] = [idOf(n), new Uint8Array(64)];
  const units = Object.values(titles).reduce((sum, one) => sum + one, 0);
  store.payeeChannels.insert({
    state: {
      ...{ channelId, capacityUnits: 1_000, expiresAtMs: atMs + DAY_MS, paidUnits: units, tick: idOf(0) },
      ...{
        servedBytes: units * MIB,
        checkpointNumber: 0,
        checkpointUnits: 0,
        status: 'open',
        pausedBy: null,
      },
    },
    payer,
    payerDevice: idOf(1),
    ...{ terms: bytes, termsSignature: bytes, leaseSignature: bytes, openedAtMs: atMs },
  });
  for (const [contentId, sent] of Object.entries(titles)) {
    store.channelContents.add(channelId, contentId, sent * MIB);
    store.traffic.add({ contentId, account: payer, downBytes: 0, upBytes: sent * MIB }, atMs);
  }
  return channelId;
}

const payment = (units: number): Payment | null =>
  units === 0
    ? null
    : ({
        ...{
          xacFromPayer: BigInt(units) * 100n,
          xatBurned: 0n,
          xacEmitted: 0n,
          xasFromPayer: 0n,
          xatUnlocked: 0n,
        },
        ...{ feeXac: BigInt(units) * 10n, feeXas: 0n, payeeXac: BigInt(units) * 90n, payeeXas: 0n },
      } as Payment);

let shardSeq = 0;
/** What the shard says of it: 100 base units of XAC a MiB, a tenth of it the fee. */
function settled(
  counterparty: string,
  figures: Partial<Record<'paidUnits' | 'creditUnits' | 'refusedUnits' | 'repaidUnits', number>>,
  channels: readonly { readonly channelId: Uint8Array; readonly units: number }[] = [],
  atMs = NOON_MS,
): void {
  const units = { paidUnits: 0, creditUnits: 0, refusedUnits: 0, repaidUnits: 0, ...figures };
  const all = BigInt(units.paidUnits + units.repaidUnits);
  shardSeq += 1;
  store.settlements.insert({
    ...{
      shard: 0,
      shardSeq,
      batchNumber: shardSeq,
      batchHash: idOf(9),
      atMs,
      direction: 'earned',
      counterparty,
    },
    ...units,
    ...{ grossXac: all * 100n, feeXac: all * 10n, xatBurned: 0n, xasPaid: 0n, feeXas: 0n },
    ...{ price: ratio(100), signature: null },
    detail: { repayment: payment(units.repaidUnits), payment: payment(units.paidUnits), channels },
  });
  store.commit(() => bookDays(store));
}

const sums = () => sharingSums(store, ALL_DAYS);
const of = (by: 'peer' | 'title') =>
  Object.fromEntries(sharingBy(by, store, ALL_DAYS, 100).map(({ key, ...rest }) => [key, rest]));

describe('what sharing brought', () => {
  it('is on its way until a settlement takes it up, and is never called paid before', () => {
    const channelId = served(1, ANN, { film: 6, clip: 4 });
    expect(sums()).toMatchObject({ sentBytes: 10 * MIB, paidUnits: 0, earnedXac: 0n });
    expect(openSums(store)).toEqual({ pendingUnits: 10, owedUnits: 0, owedSinceMs: null });
    expect(of('title')).toMatchObject({ film: { pendingUnits: 6 }, clip: { pendingUnits: 4 } });

    settled(ANN, { paidUnits: 5 }, [{ channelId, units: 5 }]);
    expect(sums()).toMatchObject({ paidUnits: 5, earnedXac: 450n, feeXac: 50n });
    expect(openSums(store)).toMatchObject({ pendingUnits: 5 });
    expect(of('peer')).toMatchObject({ [ANN]: { sentBytes: 10 * MIB, paidUnits: 5, pendingUnits: 5 } });
    const titles = of('title');
    expect(titles).toMatchObject({
      film: { paidUnits: 3, earnedXac: 270n, pendingUnits: 3 },
      clip: { paidUnits: 2, earnedXac: 180n, pendingUnits: 2 },
    });
  });

  it('is owed with its age, and repaid to the title that it was for, the oldest first', () => {
    const [one, two] = [served(1, ANN, { film: 10 }), served(2, ANN, { clip: 10 })];
    settled(ANN, { creditUnits: 10 }, [{ channelId: one, units: 10 }], NOON_MS - DAY_MS);
    settled(ANN, { creditUnits: 10 }, [{ channelId: two, units: 10 }]);
    expect(openSums(store)).toEqual({ pendingUnits: 0, owedUnits: 20, owedSinceMs: NOON_MS - DAY_MS });

    settled(ANN, { repaidUnits: 14 }, [], NOON_MS + DAY_MS);
    expect(openSums(store)).toEqual({ pendingUnits: 0, owedUnits: 6, owedSinceMs: NOON_MS });
    expect(of('title')).toMatchObject({
      film: { repaidUnits: 10, repaidXac: 900n, owedUnits: 0, owedSinceMs: null },
      clip: { repaidUnits: 4, repaidXac: 360n, owedUnits: 6, owedSinceMs: NOON_MS },
    });
    expect(store.credits.openUnitsOf(1)).toBe(0);
    expect(store.credits.openUnitsOf(2)).toBe(6);
    expect(
      sharingByDay(store, ALL_DAYS, 9).map(({ day, creditUnits, repaidXac }) => [
        day,
        creditUnits,
        repaidXac,
      ]),
    ).toEqual([
      [dayOf(NOON_MS + DAY_MS), 0, 1260n],
      [dayOf(NOON_MS), 10, 0n],
      [dayOf(NOON_MS - DAY_MS), 10, 0n],
    ]);
  });

  it('is told of each title that brought anything as the report has it', () => {
    const [one, two] = [served(1, ANN, { film: 6, clip: 4 }), served(2, BOB, { song: 3 })];
    settled(ANN, { paidUnits: 10 }, [{ channelId: one, units: 10 }]);
    settled(BOB, { creditUnits: 3 }, [{ channelId: two, units: 3 }]);
    const earned = () => Object.fromEntries(earnedByTitle(store).map((row) => [row.contentId, row]));
    expect(Object.keys(earned()).toSorted()).toEqual(['clip', 'film']);
    settled(BOB, { repaidUnits: 3 });
    expect(earned()).toMatchObject({ song: { earnedXac: 0n, repaidXac: 270n } });
    for (const [key, { earnedXac, repaidXac, earnedXas }] of Object.entries(earned()))
      expect(of('title')[key]).toMatchObject({ earnedXac, repaidXac, earnedXas });
  });

  it('repays with a loan of the same settlement no part of it', () => {
    settled(ANN, { creditUnits: 5 });
    settled(ANN, { creditUnits: 7, repaidUnits: 5 });
    expect(openSums(store).owedUnits).toBe(7);
    expect(store.credits.openUnitsOf(1)).toBe(0);
  });

  it('keeps every unit and base unit, whatever the parts are', () => {
    const [one, two] = [served(1, ANN, { a: 3, b: 3, c: 1 }), served(2, BOB, { a: 2 })];
    settled(ANN, { paidUnits: 3, creditUnits: 3, refusedUnits: 1 }, [{ channelId: one, units: 7 }]);
    // A channel of another device, and one that this node knows.
    settled(BOB, { paidUnits: 5 }, [
      { channelId: two, units: 2 },
      { channelId: idOf(77), units: 3 },
    ]);
    settled(ANN, { repaidUnits: 2 });
    const all = sums();
    expect(all).toMatchObject({
      paidUnits: 8,
      creditUnits: 3,
      refusedUnits: 1,
      repaidUnits: 2,
      earnedXac: 720n,
    });
    const names = Object.keys(all) as (keyof typeof all)[];
    for (const rows of [
      sharingBy('peer', store, ALL_DAYS, 99),
      sharingBy('title', store, ALL_DAYS, 99),
      sharingByDay(store, ALL_DAYS, 99),
      [...sharingRows(store, ALL_DAYS)],
    ]) {
      for (const name of names) {
        const sum = rows.reduce((total, row) => total + BigInt(row[name]), 0n);
        expect(sum, name).toBe(BigInt(all[name]));
      }
    }
    expect(of('title')['']).toMatchObject({ sentBytes: 0, paidUnits: 3, earnedXac: 270n });
  });

  it('counts a settlement once for a peer, and with each of its titles', () => {
    const one = served(1, ANN, { a: 3, b: 3 });
    settled(ANN, { paidUnits: 6 }, [{ channelId: one, units: 6 }]);
    const groups = (by: 'peer' | 'title') =>
      store.settlementDays.groups(by, {}, 9).map(({ key, count }) => [key, count]);
    expect(groups('peer')).toEqual([[ANN, 1n]]);
    expect(groups('title')).toEqual([
      ['a', 1n],
      ['b', 1n],
    ]);
  });
});

describe('the sums of days', () => {
  it('are those of the history, for each filter, after a start with settlements of before', async () => {
    insertSettlements(store, 2_500);
    await catchUpDays(store);
    const filters = [
      {},
      { kind: 'paid' },
      { kind: 'received' },
      { kind: 'repayment' },
      { kind: 'loan' },
      { counterparty: testAddress(7) },
    ] as const;
    for (const filter of filters) {
      const wanted = store.settlementHistory.sums(filter, 0, 2_500);
      for (const direction of ['paid', 'earned'] as const) {
        const { repaidNetXac: _, ...got } = store.settlementDays.sums({ ...filter, direction });
        expect({ direction, ...got }).toEqual({ direction, ...wanted[direction] });
      }
    }
    const days = store.settlementDays.days({}, null, 3);
    const next = store.settlementDays.days({}, days.at(-1)?.key ?? null, 3);
    expect(days.map(({ key }) => key)).toEqual(
      days
        .map(({ key }) => key)
        .toSorted()
        .reverse(),
    );
    expect(new Set([...days, ...next].map(({ key }) => key)).size).toBe(6);
    // Nothing is added twice.
    await catchUpDays(store);
    expect(store.settlementDays.sums({ direction: 'paid' }).count).toBe(
      store.settlementHistory.sums({}, 0, 2_500).paid.count,
    );
  });
});
