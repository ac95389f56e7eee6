/**
 * Which rules a chain's batches follow. They are part of its log, so that applying it again applies the same ones.
 *
 * 1: traffic counts for the rate when it is consumed, also on credit, and the rate may jump. 2: it counts when it is paid for,
 * and the rate moves within bounds (docs/decisions/0021-what-moves-the-price.md).
 */
import * as dagCbor from '@ipld/dag-cbor';
import type { ChainStore } from '../../db/chain/store.ts';
import { appendLog } from './log.ts';

export type ChainRules = 1 | 2;

export const NEWEST_RULES = 2;

/** Those of the next batch. */
export function rulesOf(store: Pick<ChainStore, 'rateHours'>): ChainRules {
  return store.rateHours.any() ? 2 : 1;
}

/** The chain's time in hours since 1970. */
export function hourOf(atMs: number): bigint {
  return BigInt(Math.floor(atMs / 3_600_000));
}

/** From the next batch on, rules 2. Belongs in a transaction. */
export function takeUpRules(store: Pick<ChainStore, 'log' | 'rateHours' | 'totals'>, atMs: number): void {
  store.rateHours.begin(hourOf(atMs), store.totals.get());
  appendLog(store.log, 'rules', dagCbor.encode([NEWEST_RULES]), atMs);
}
