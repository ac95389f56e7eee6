/** The history's filter and sums, over rows in memory. */
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import type {
  DirectionSums,
  SettlementFilter,
  SettlementSums,
  SettlementView,
} from '../../shared/rpc/settlements.ts';

export function passes(row: SettlementView, filter: SettlementFilter): boolean {
  const { fromMs = 0, untilMs = Number.MAX_SAFE_INTEGER, counterparty = row.counterparty, kind } = filter;
  if (row.atMs < fromMs || row.atMs >= untilMs || row.counterparty !== counterparty) return false;
  if (kind === 'repayment') return row.repaidUnits > 0;
  if (kind === 'loan') return row.creditUnits > 0;
  if (kind === undefined) return true;
  return (row.direction === 'paid') === (kind === 'paid') && row.paidUnits + row.repaidUnits > 0;
}

export function sumsOf(rows: readonly SettlementView[]): DirectionSums {
  const units = (key: 'paidUnits' | 'creditUnits' | 'refusedUnits' | 'repaidUnits') =>
    rows.reduce((sum, row) => sum + row[key], 0);
  const tokens = (key: 'grossXac' | 'feeXac' | 'netXac' | 'xatBurned' | 'xasPaid') =>
    formatAmount(rows.reduce((sum, row) => sum + parseAmount(row[key]), 0n));
  return {
    count: rows.length,
    paidUnits: units('paidUnits'),
    creditUnits: units('creditUnits'),
    refusedUnits: units('refusedUnits'),
    repaidUnits: units('repaidUnits'),
    grossXac: tokens('grossXac'),
    feeXac: tokens('feeXac'),
    netXac: tokens('netXac'),
    xatBurned: tokens('xatBurned'),
    xasPaid: tokens('xasPaid'),
    feeXas: '0.0000000',
  };
}

export function bothSums(rows: readonly SettlementView[]): SettlementSums {
  const of = (direction: 'paid' | 'earned') => sumsOf(rows.filter((row) => row.direction === direction));
  return { count: rows.length, paid: of('paid'), earned: of('earned') };
}
