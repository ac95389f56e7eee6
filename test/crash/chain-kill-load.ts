import type { BatchEntry } from '../../shared/settlement/batch.ts';
import { entry, testAddress, testGenesis, testSettings } from '../helpers/chain.ts';

const PAYERS = 1_000;
const PAYEES_EACH = 10;

/** 10,000 entries of 1 unit: 1,000 payers with 10 payees each. */
export const crashEntries: readonly BatchEntry[] = Array.from({ length: PAYERS * PAYEES_EACH }, (_, i) =>
  entry(testAddress(1 + Math.floor(i / PAYEES_EACH)), testAddress(100_000 + i), 1),
);
export const crashSettings = testSettings();
export const crashGenesis = testGenesis(
  Array.from({ length: PAYERS }, (_, i) => [testAddress(i + 1), 'XAT', '100'] as const),
);
