/** The settlements of a node that is none, and the questions about them. */
import type { CheckedInput } from '../../main/rpc/service.ts';
import { dayOf, endOfDay, startOfDay } from '../../main/util/local-day.ts';
import { formatAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import type { Output } from '../../shared/rpc/rpc.ts';
import type { SettlementView } from '../../shared/rpc/settlements.ts';
import { FakeQuiet } from './fake-quiet.ts';
import { bothSums, passes } from './fake-settlements.ts';

export const PROVIDER = '0x7a3f5c1e9b2d4f60718293a4b5c6d7e8f9029fc1';
export const OTHER = '0xb41e6d8c0f2a4c6e8091a3b5c7d9e1f302451a7d';
/** Base units of XAC per MiB, near 0.01 XAC per GB. */
export const XAC_PER_MIB = 98n;

export class FakeLedger extends FakeQuiet {
  /** Newest first. */
  protected readonly settled: SettlementView[] = [];

  async settlements(input: CheckedInput<'settlements'>): Promise<readonly SettlementView[]> {
    const { beforeSeq = Number.MAX_SAFE_INTEGER, limit } = input;
    return this.settled.filter((row) => row.seq < beforeSeq).slice(0, limit);
  }

  async settlementHistory(input: CheckedInput<'settlementHistory'>): Promise<Output<'settlementHistory'>> {
    const { filter, after, skip, limit } = input;
    const beforeSeq = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after.split('-')[1]);
    const rows = this.settled.filter((row) => row.seq < beforeSeq && passes(row, filter));
    const page = rows.slice(skip, skip + limit);
    const last = page.at(-1);
    return { rows: page, next: last && page.length === limit ? `${last.atMs}-${last.seq}` : null };
  }

  async settlementSums({ filter }: CheckedInput<'settlementSums'>): Promise<Output<'settlementSums'>> {
    return bothSums(this.settled.filter((row) => passes(row, filter)));
  }

  async settlementDays({
    filter,
    before,
    limit,
  }: CheckedInput<'settlementDays'>): Promise<Output<'settlementDays'>> {
    const rows = this.settled.filter((row) => passes(row, filter));
    const days = [...Map.groupBy(rows, ({ atMs }) => dayOf(atMs))]
      .filter(([day]) => before === undefined || day < before)
      .toSorted(([a], [b]) => (a < b ? 1 : -1))
      .slice(0, limit)
      .map(([day, ofDay]) => ({
        day,
        fromMs: startOfDay(day),
        untilMs: endOfDay(day),
        ...bothSums(ofDay),
      }));
    return { days, next: days.length === limit ? (days.at(-1)?.day ?? null) : null };
  }

  async settlementGroups({
    day,
    by,
    filter,
  }: CheckedInput<'settlementGroups'>): Promise<Output<'settlementGroups'>> {
    const rows = this.settled.filter((row) => passes(row, filter) && dayOf(row.atMs) === day);
    const groups = Map.groupBy(rows, ({ counterparty }) => (by === 'peer' ? counterparty : ''));
    return [...groups].map(([key, ofGroup]) => ({ key, name: null, ...bothSums(ofGroup) }));
  }

  async settlementCounterparties(): Promise<Output<'settlementCounterparties'>> {
    const accounts = [...new Set(this.settled.map((row) => row.counterparty))];
    const count = (account: string) => this.settled.filter((r) => r.counterparty === account).length;
    return accounts.map((account) => ({ account, count: count(account) }));
  }

  async settlementDetail(place: CheckedInput<'settlementDetail'>): Promise<Output<'settlementDetail'>> {
    const seq = 'seq' in place ? place.seq : place.shardSeq;
    const row = this.settled.find((settlement) => settlement.seq === seq);
    if (!row) throw new AceError('InvalidInput', 'No such settlement');
    return {
      row,
      feeXas: '0.0000000',
      stillOwedUnits: row.creditUnits,
      xacPerUnit: `${XAC_PER_MIB}/1`,
      repayment: null,
      payment: null,
      statement: null,
      channels: [],
    };
  }

  protected settle(units: number, index: number): void {
    const seq = this.settled.length + 1;
    const earned = index % 4 === 3;
    const onCredit = !earned && index % 5 === 2;
    const gross = onCredit ? 0n : BigInt(units) * XAC_PER_MIB;
    const fee = gross / 10n;
    this.settled.unshift({
      seq,
      shard: 0,
      shardSeq: seq,
      batchNumber: 1 + Math.floor(seq / 2),
      batchHash: seq.toString(16).padStart(64, '0'),
      atMs: Date.now() - (60 - seq > 0 ? (60 - seq) * 300_000 : 0),
      direction: earned ? 'earned' : 'paid',
      counterparty: index % 3 === 0 ? OTHER : PROVIDER,
      paidUnits: onCredit ? 0 : units,
      creditUnits: onCredit ? units : 0,
      refusedUnits: 0,
      repaidUnits: index % 7 === 6 ? 64 : 0,
      grossXac: formatAmount(gross),
      feeXac: formatAmount(fee),
      netXac: formatAmount(gross - fee),
      xatBurned: formatAmount(earned ? 0n : gross),
      xasPaid: '0.0000000',
      xacPerGb: '0.0100000',
    });
  }
}
