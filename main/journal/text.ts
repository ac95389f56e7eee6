/** How every export writes times, amounts and other people's words. */

import { formatAmount } from '../../shared/economy/money.ts';
import { type Commodity, isToken } from '../../shared/journal/chart.ts';
import type { EntryKey } from '../../shared/journal/entry.ts';
import { settlementName } from '../../shared/settlement/name.ts';
import { shownName } from '../../shared/shown-name.ts';

/** 2026-11-21, of UTC. */
export function utcDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** 2026-11-21 18:04:05, of UTC. */
export function utcSecond(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** Tokens with 7 decimals, MiB with one. */
export function decimal(amount: bigint, commodity: Commodity): string {
  return isToken(commodity) ? formatAmount(amount) : `${amount}.0`;
}

/** The entry's name everywhere: where it comes from, never the place in a file. */
export function entryId({ source, shard, seq, part }: EntryKey): string {
  if (source === 'operation') return `op-${seq}`;
  return `${settlementName({ shard, shardSeq: seq })}-${part === 0 ? 'r' : 's'}`;
}

/**
 * Text for a cell of a spreadsheet: what would be a formula there, also in the wide letters of East Asia, begins with an
 * apostrophe. Numbers never come here.
 */
export function cell(text: string): string {
  const line = shownName(text);
  return /^[=+\-@＝＋－＠]/.test(line) ? `'${line}` : line;
}
