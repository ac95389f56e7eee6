import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { bookDays, catchUpDays } from '../../../../main/journal/day-book.ts';
import { settlementProcedures } from '../../../../main/service/settlements.ts';
import { settlementView } from '../../../../main/service/views.ts';
import { dayOf, endOfDay, startOfDay } from '../../../../main/util/local-day.ts';
import { deviceFromSeed } from '../../../../main/wallet/device.ts';
import { formatAmount } from '../../../../shared/economy/money.ts';
import { type SettlementFilter, settlementInputs } from '../../../../shared/rpc/settlements.ts';
import { encodeStatement } from '../../../../shared/settlement/statement.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { testAddress } from '../../../helpers/chain.ts';
import { passes as passesFilter } from '../../../helpers/fake-settlements.ts';
import {
  HISTORY_FROM_MS,
  HISTORY_STEP_MS,
  insertSettlements,
  settlement,
} from '../../../helpers/settlements.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const shard = deviceFromSeed(new Uint8Array(32).fill(9));
const account = testAddress(500);
const settings = { networkId: 'test', validatorKeys: [Buffer.from(shard.publicKey).toString('hex')] };
const ALL = Array.from({ length: 1_000 }, (_, i) => settlement(i + 1));

let store: NodeStore;
let procedures: ReturnType<typeof settlementProcedures>;

beforeEach(() => {
  store = openNodeStore(join(tempDir(), 'node.db'));
  procedures = settlementProcedures({ store, account, settings });
});

const page = (input: object) => procedures.settlementHistory(settlementInputs.settlementHistory.parse(input));
const FILTERS: readonly [string, SettlementFilter, (row: (typeof ALL)[number]) => boolean][] = [
  ['no filter', {}, () => true],
  ['money that went', { kind: 'paid' }, (r) => r.direction === 'paid' && r.paidUnits + r.repaidUnits > 0],
  [
    'money that came',
    { kind: 'received' },
    (r) => r.direction === 'earned' && r.paidUnits + r.repaidUnits > 0,
  ],
  ['repayments', { kind: 'repayment' }, (r) => r.repaidUnits > 0],
  ['loans', { kind: 'loan' }, (r) => r.creditUnits > 0],
  ['one account', { counterparty: testAddress(7) }, (r) => r.counterparty === testAddress(7)],
  [
    'from a moment on, and before another',
    { fromMs: HISTORY_FROM_MS + 100 * HISTORY_STEP_MS, untilMs: HISTORY_FROM_MS + 200 * HISTORY_STEP_MS },
    ({ atMs }) =>
      atMs >= HISTORY_FROM_MS + 100 * HISTORY_STEP_MS && atMs < HISTORY_FROM_MS + 200 * HISTORY_STEP_MS,
  ],
  [
    'all of these at once',
    { kind: 'loan', counterparty: testAddress(11), fromMs: HISTORY_FROM_MS + 50 * HISTORY_STEP_MS },
    (r) =>
      r.creditUnits > 0 &&
      r.counterparty === testAddress(11) &&
      r.atMs >= HISTORY_FROM_MS + 50 * HISTORY_STEP_MS,
  ],
];

describe('the settlement history', () => {
  it.each(FILTERS)('has each row once, newest first, and its sums: %s', async (_, filter, passes) => {
    insertSettlements(store, ALL.length);
    const expected = ALL.flatMap((row, i) => (passes(row) ? i + 1 : [])).reverse();
    expect(expected.length).toBeGreaterThan(0);
    const seen: number[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const { rows, next } = await page({ filter, limit: 77, ...(after !== undefined && { after }) });
      seen.push(...rows.map(({ seq }) => seq));
      after = next;
    }
    expect(seen).toEqual(expected);

    const sums = await procedures.settlementSums({ filter });
    const paid = ALL.filter((row) => passes(row) && row.direction === 'paid');
    const gross = paid.reduce((sum, row) => sum + row.grossXac, 0n);
    const fee = paid.reduce((sum, row) => sum + row.feeXac, 0n);
    expect(sums.count).toBe(expected.length);
    expect(sums.paid).toMatchObject({
      count: paid.length,
      paidUnits: paid.reduce((sum, row) => sum + row.paidUnits, 0),
      grossXac: formatAmount(gross),
      feeXac: formatAmount(fee),
      netXac: formatAmount(gross - fee),
    });
    expect(sums.earned.count).toBe(expected.length - paid.length);
  });

  it('passes over rows, for a list that is scrolled far at once', async () => {
    insertSettlements(store, 300);
    const first = await page({ limit: 10 });
    const jumped = await page({ after: first.next, skip: 100, limit: 10 });
    expect(jumped.rows.map(({ seq }) => seq)).toEqual([190, 189, 188, 187, 186, 185, 184, 183, 182, 181]);
    expect((await page({ after: jumped.next, skip: 500 })).rows).toEqual([]);
  });

  it('adds what is new to sums that were asked for before', async () => {
    insertSettlements(store, 10);
    expect((await procedures.settlementSums({ filter: {} })).count).toBe(10);
    store.settlements.insert(settlement(11));
    const again = await procedures.settlementSums({ filter: {} });
    const fresh = settlementProcedures({ store, account, settings });
    expect(again).toEqual(await fresh.settlementSums({ filter: {} }));
    expect(again.count).toBe(11);
  });

  it('names the accounts with most settlements first', async () => {
    for (let n = 1; n <= 3; n++) store.settlements.insert({ ...settlement(n), counterparty: testAddress(1) });
    store.settlements.insert({ ...settlement(4), counterparty: testAddress(2) });
    expect(await procedures.settlementCounterparties({})).toEqual([
      { account: testAddress(1), count: 3 },
      { account: testAddress(2), count: 1 },
    ]);
  });

  it('refuses a filter that no row can pass', () => {
    const parse = (filter: object) => settlementInputs.settlementHistory.safeParse({ filter }).success;
    expect(parse({ fromMs: 5, untilMs: 5 })).toBe(false);
    expect(parse({ counterparty: '0x12' })).toBe(false);
    expect(parse({ kind: 'gift' })).toBe(false);
    expect(parse({ counterparty: ` ${testAddress(1).toUpperCase().replace('0X', '0x')} ` })).toBe(true);
  });
});

describe('the statement', () => {
  const daysOf = (input: object) => procedures.settlementDays(settlementInputs.settlementDays.parse(input));
  const groupsOf = (input: object) =>
    procedures.settlementGroups(settlementInputs.settlementGroups.parse(input));

  it.each(FILTERS)('has days that open to groups, and those to their rows: %s', async (_, filter, passes) => {
    insertSettlements(store, ALL.length);
    await catchUpDays(store);
    // Days begin at midnight: a filter of hours is one of their days.
    const { fromMs: from = 0, untilMs: until = Number.MAX_SAFE_INTEGER / 2 } = filter;
    const ofDays = { ...filter, fromMs: startOfDay(dayOf(from)), untilMs: endOfDay(dayOf(until - 1)) };
    const expected = ALL.filter((row) => passesFilter(settlementView({ ...row, seq: 1 }), ofDays));
    expect(ALL.filter(passes).every((row) => expected.includes(row))).toBe(true);
    const days = [];
    for (let before: string | null | undefined; before !== null; ) {
      const found = await daysOf({ filter, limit: 2, ...(before !== undefined && { before }) });
      days.push(...found.days);
      before = found.next;
    }
    expect(days.map(({ day }) => day)).toEqual(
      [...new Set(expected.map(({ atMs }) => dayOf(atMs)))].toSorted().reverse(),
    );
    expect(days.reduce((sum, { count }) => sum + count, 0)).toBe(expected.length);
    const [day] = days;
    if (!day) throw new Error('no day');
    const groups = await groupsOf({ day: day.day, by: 'peer', filter });
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(day.count);
    const [group] = groups;
    const { fromMs, untilMs } = day;
    const { kind } = filter;
    const rows = await page({
      filter: { fromMs, untilMs, counterparty: group?.key, ...(kind && { kind }) },
      limit: 500,
    });
    expect(rows.rows.length).toBe(group?.count);
    // Of a title that nobody knows are all of them: no channel is told here.
    const [unknown] = await groupsOf({ day: day.day, by: 'title', filter });
    expect(unknown).toMatchObject({ key: '', name: null, count: day.count });
    const { counterparty } = filter;
    const ofTitle = await page({
      filter: {
        fromMs,
        untilMs,
        contentId: '',
        ...(kind && { kind }),
        ...(counterparty && { counterparty }),
      },
      limit: 500,
    });
    expect(ofTitle.rows.length).toBe(Math.min(500, day.count));
  });
});

describe('one settlement', () => {
  const signed = () => {
    const row = settlement(1);
    const record = encodeStatement({ ...row, seq: 1, networkId: 'test', account });
    return { ...row, signature: shard.sign(record) };
  };

  it('shows the bytes that its shard signed, checked anew', async () => {
    store.settlements.insert(signed());
    const { statement, xacPerUnit, feeXas } = await procedures.settlementDetail({ seq: 1 });
    expect([xacPerUnit, feeXas]).toEqual(['98/1', '0.0000000']);
    expect(statement?.signatures).toMatchObject([
      { by: 'shard', key: settings.validatorKeys[0], valid: true },
    ]);
  });

  it('says so when the record is not what the shard signed', async () => {
    store.settlements.insert({ ...signed(), grossXac: 1n });
    const { statement } = await procedures.settlementDetail({ seq: 1 });
    expect(statement?.signatures).toMatchObject([{ valid: false }]);
  });

  it('has no signed record of the time before shards signed any', async () => {
    store.settlements.insert({ ...settlement(1), signature: null });
    expect((await procedures.settlementDetail({ seq: 1 })).statement).toBeNull();
  });

  it('is found by the shard’s own number of it, too', async () => {
    store.settlements.insert({ ...settlement(3), shard: 2 });
    expect((await procedures.settlementDetail({ shard: 2, shardSeq: 3 })).row.seq).toBe(1);
    await expectAceRejection('InvalidInput', procedures.settlementDetail({ shard: 1, shardSeq: 3 }));
  });

  it('says what of its loan is still owed: a peer’s oldest is repaid first', async () => {
    const base = { direction: 'paid', counterparty: testAddress(7), paidUnits: 0, repaidUnits: 0 } as const;
    const loan = (n: number, creditUnits: number) => ({ ...settlement(n), ...base, creditUnits });
    const repaid = (n: number, repaidUnits: number) => ({ ...loan(n, 0), repaidUnits });
    for (const row of [loan(1, 10), loan(2, 20), repaid(3, 14)]) store.settlements.insert(row);
    // What another peer is owed, or this one owes back, changes nothing.
    store.settlements.insert({ ...loan(4, 50), counterparty: testAddress(8) });
    store.settlements.insert({ ...loan(5, 50), direction: 'earned' });
    bookDays(store);
    const owed = async () =>
      Promise.all(
        [1, 2, 3, 4].map(async (seq) => (await procedures.settlementDetail({ seq })).stillOwedUnits),
      );
    expect(await owed()).toEqual([0, 16, 0, 50]);
    store.settlements.insert(repaid(6, 16));
    bookDays(store);
    expect(await owed()).toEqual([0, 0, 0, 50]);
  });

  it('that is not there is an error', async () => {
    await expectAceRejection('InvalidInput', procedures.settlementDetail({ seq: 4 }));
  });
});
