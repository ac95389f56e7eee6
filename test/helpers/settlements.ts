/** Settlements of a long life, for tests and benches of the history. */
import type { NewSettlement } from '../../main/db/node/settlements.ts';
import type { NodeStore } from '../../main/db/node/store.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { testAddress } from './chain.ts';

export const HISTORY_FROM_MS = 1_700_000_000_000;
export const HISTORY_STEP_MS = 300_000;

/** The n-th, from 1: one in four is earned, one in ten went on credit, one in seven repays something. */
export function settlement(n: number, counterparties = 40): NewSettlement {
  const earned = n % 4 === 0;
  const units = 1 + ((n * 37) % 900);
  const creditUnits = n % 10 === 0 ? units : 0;
  const repaidUnits = n % 7 === 0 ? 64 : 0;
  const paidUnits = units - creditUnits;
  const grossXac = BigInt(paidUnits + repaidUnits) * 98n;
  return {
    shard: 0,
    shardSeq: n,
    batchNumber: Math.ceil(n / 2),
    batchHash: new Uint8Array(32).fill(n % 256),
    atMs: HISTORY_FROM_MS + Math.ceil(n / 2) * HISTORY_STEP_MS,
    direction: earned ? 'earned' : 'paid',
    counterparty: testAddress(1 + (n % counterparties)),
    paidUnits,
    creditUnits,
    refusedUnits: 0,
    repaidUnits,
    grossXac,
    feeXac: grossXac / 10n,
    xatBurned: earned ? 0n : grossXac,
    xasPaid: 0n,
    feeXas: 0n,
    price: ratio(98),
    signature: new Uint8Array(64).fill(n % 256),
    detail: null,
  };
}

export function insertSettlements(store: NodeStore, count: number, counterparties?: number): void {
  store.commit(() => {
    for (let n = 1; n <= count; n++) store.settlements.insert(settlement(n, counterparties));
  });
}
