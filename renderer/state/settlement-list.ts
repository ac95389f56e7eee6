/** The part of the settlement history that the page holds: newest first, each row once, without holes. */
import type { SettlementView } from '../../shared/rpc.ts';

export const PAGE_ROWS = 50;

/** Adds rows in any order. */
export function mergeRows(
  known: readonly SettlementView[],
  more: readonly SettlementView[],
): readonly SettlementView[] {
  const bySeq = new Map(known.map((row) => [row.seq, row]));
  for (const row of more) bySeq.set(row.seq, row);
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq);
}

/**
 * The list after the newest page came in anew, as after a lost connection. Known rows stay only if the page reaches
 * them: what lies between would be missing without a trace.
 */
export function refreshRows(
  known: readonly SettlementView[],
  newestPage: readonly SettlementView[],
): readonly SettlementView[] {
  const oldest = newestPage.at(-1);
  const reaches = oldest !== undefined && known.some((row) => row.seq >= oldest.seq);
  return reaches ? mergeRows(known, newestPage) : newestPage;
}

export interface SettlementSums {
  readonly settledUnits: number;
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly repaidUnits: number;
}

export function sumRows(rows: readonly SettlementView[]): SettlementSums {
  const sum = (pick: (row: SettlementView) => number) => rows.reduce((total, row) => total + pick(row), 0);
  const paidUnits = sum((row) => row.paidUnits);
  const creditUnits = sum((row) => row.creditUnits);
  return {
    settledUnits: paidUnits + creditUnits,
    paidUnits,
    creditUnits,
    repaidUnits: sum((row) => row.repaidUnits),
  };
}
