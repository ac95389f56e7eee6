/**
 * What an account may still do on this shard: its view of the main chain, less what is already spoken for.
 *
 * Leasable = what the funds can buy now, however settlements split it, + free credit − everything leased or claimed and
 * not yet answered for by the main chain. Because every lease of an account comes from its one home shard, the credit limit holds exactly, however
 * many peers the account uses at once.
 */

import type { ChainAccount, Market } from '../../shared/chain.ts';
import { coveredUnits, creditLeftUnits, type PriceSnapshot } from '../../shared/economy/credit.ts';
import { unitPriceXac } from '../../shared/economy/price.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';

export interface AccountView {
  readonly chain: ChainAccount;
  readonly reservedUnits: number;
  readonly leasableUnits: number;
}

/** What of the main chain an account's view is made of. */
export type ChainReads = Pick<MainChain, 'settings' | 'account' | 'market'>;

/** More than anyone can use; keeps sums of units exact. */
const MOST_UNITS = 2 ** 50;

export function priceSnapshot(market: Market): PriceSnapshot {
  return { rates: market.rates, unitPriceXac: unitPriceXac(market.totals, market.rates) };
}

/** `chain` decides how fresh the answer is: a lease needs the chain itself, a picture for a user may come from a cache. */
export async function accountView(
  chain: ChainReads,
  store: ValidatorStore,
  address: string,
): Promise<AccountView> {
  const [account, market] = await Promise.all([chain.account(address), chain.market()]);
  const settings = chain.settings();
  const reservedUnits = store.leases.reservedUnits(address);
  const spendable =
    coveredUnits(account.services, priceSnapshot(market), MOST_UNITS) +
    creditLeftUnits(settings.trafficCreditLimitUnits, account.creditUsedUnits);
  return {
    chain: account,
    reservedUnits,
    leasableUnits: Math.max(0, spendable - reservedUnits),
  };
}
