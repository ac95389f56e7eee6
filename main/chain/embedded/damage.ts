/** Figures of a chain's file that cannot be: what is told of them names the file, and what to do. */

import { unitPriceXac } from '../../../shared/economy/price.ts';
import type { NetworkSettings } from '../../../shared/economy/settings.ts';
import { AceError, isAceError } from '../../../shared/errors.ts';
import type { ChainStore } from '../../db/chain/store.ts';
import { withStoreErrors } from '../../db/open.ts';
import { ratesAt } from './exchange.ts';
import { checkSupply } from './genesis.ts';

/** What reading figures that cannot be may throw. A full disk or a file of another program is no such thing. */
const SIGNS_OF_DAMAGE = ['ChainDiverged', 'InvariantViolated', 'InvalidAmount', 'InvalidInput'] as const;

/**
 * The sums over the file, and what every batch is priced by: a chain that cannot settle anything must not seem to run.
 * @throws AceError `ChainDiverged` (the file is damaged), `StoreFailed`
 */
export function checkFigures(store: ChainStore, settings: NetworkSettings, path: string): void {
  try {
    withStoreErrors(() => {
      checkSupply(store);
      unitPriceXac(store.totals.get(), ratesAt(store, settings, store.log.head()?.appendedAtMs ?? 0));
      store.feed.get();
    }, path);
  } catch (error) {
    throw damageOf(path, error);
  }
}

/** What reading a chain's figures threw, told as damage of the file where it is one. */
export function damageOf(path: string, error: unknown): unknown {
  const isDamage =
    SIGNS_OF_DAMAGE.some((code) => isAceError(error, code)) ||
    // Sums that SQLite cannot hold, and rows that are not there.
    (error instanceof AceError && error.details.storeCode === 'SQLITE_ERROR') ||
    !(error instanceof AceError);
  if (!isDamage) return error;
  return new AceError(
    'ChainDiverged',
    `${path} is damaged, its figures cannot be right: run ace-node chain verify`,
    { reaction: 'stop', cause: error },
  );
}
