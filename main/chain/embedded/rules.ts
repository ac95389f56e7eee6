/**
 * Which rules a chain's batches follow. They are part of its log, so that applying it again applies the same ones.
 *
 * 1: traffic counts for the rate when it is consumed, also on credit, and the rate may jump. 2: it counts when it is paid for,
 * and the rate moves within bounds, those of a day from midnight (UTC) on. 3: they hold for any 24 hours
 * (docs/decisions/0021-what-moves-the-price.md).
 */
import * as dagCbor from '@ipld/dag-cbor';
import type { ChainStore } from '../../db/chain/store.ts';
import { appendLog } from './log.ts';

export const RULES = [1, 2, 3] as const;
export type ChainRules = (typeof RULES)[number];

export const NEWEST_RULES = 3;

type RulesStore = Pick<ChainStore, 'rateDay' | 'rateHours' | 'totals'>;

/** Those of the next batch. */
export function rulesOf(store: Pick<ChainStore, 'rateDay' | 'rateHours'>): ChainRules {
  if (store.rateHours.any()) return 3;
  return store.rateDay.get() ? 2 : 1;
}

/** The chain's time in days since 1970. */
export function dayOf(atMs: number): bigint {
  return BigInt(Math.floor(atMs / 86_400_000));
}

/** The chain's time in hours since 1970. */
export function hourOf(atMs: number): bigint {
  return BigInt(Math.floor(atMs / 3_600_000));
}

/** What the rules need from their first batch on. Belongs in a transaction. */
export function beginRules(store: RulesStore, rules: ChainRules, atMs: number): void {
  const totals = store.totals.get();
  if (rules === 2) store.rateDay.put({ day: dayOf(atMs), ...totals });
  if (rules === 3) store.rateHours.begin(hourOf(atMs), totals);
}

/** From the next batch on, these rules. Belongs in a transaction. */
export function takeUpRules(
  store: RulesStore & Pick<ChainStore, 'log'>,
  rules: ChainRules,
  atMs: number,
): void {
  beginRules(store, rules, atMs);
  appendLog(store.log, 'rules', dagCbor.encode([rules]), atMs);
}

/** Of a record of the log. `null` for none that this program knows. */
export function rulesTakenUp(bytes: Uint8Array): ChainRules | null {
  const [rules] = dagCbor.decode(bytes) as readonly unknown[];
  return rules === 2 || rules === 3 ? rules : null;
}
