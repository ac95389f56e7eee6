/** The exchange of the embedded chain: reserves lie in pools, what the prices were lies in observations. */
import {
  averageRate,
  EXCHANGE_POOLS,
  nextObservation,
  scaledPrice,
  swapOutput,
  TRADED_TOKENS,
  type TradedToken,
  tradedToken,
} from '../../../shared/economy/exchange.ts';
import type { TokenAmount } from '../../../shared/economy/money.ts';
import type { SwapOperation } from '../../../shared/economy/operation.ts';
import type { ExchangeRates } from '../../../shared/economy/price.ts';
import { type Ratio, ratio } from '../../../shared/economy/ratio.ts';
import type { NetworkSettings } from '../../../shared/economy/settings.ts';
import type { ChainStore } from '../../db/chain/store.ts';
import type { Ledger } from './ledger.ts';

type RateRules = Pick<NetworkSettings, 'pinnedXacPerXat' | 'pinnedXacPerXas' | 'rateWindowMs'>;

/** Notes the first price of every token that genesis gives reserves. */
export function openMarkets(store: ChainStore, atMs: number): void {
  const pools = store.pools.all();
  for (const token of TRADED_TOKENS) {
    const reserves = pools[EXCHANGE_POOLS[token]];
    const price = scaledPrice(reserves.XAC, reserves[token]);
    if (price > 0n) store.observations.put(token, { atMs, cumulative: 0n, price });
  }
}

/** Rates for payments at a moment: pinned by the profile, or the exchange's average; 0 without a market. */
export function ratesAt(store: ChainStore, rules: RateRules, atMs: number): ExchangeRates {
  return {
    xacPerXat: rules.pinnedXacPerXat ?? averageAt(store, 'XAT', atMs, rules.rateWindowMs),
    xacPerXas: rules.pinnedXacPerXas ?? averageAt(store, 'XAS', atMs, rules.rateWindowMs),
  };
}

/** What a swap gets from the reserves as they are. @throws AceError `NoMarket`, `SlippageExceeded` */
export function quoteSwap(ledger: Ledger, { sell, buy, amount }: SwapOperation, fee: Ratio): TokenAmount {
  const reserves = ledger.pool(EXCHANGE_POOLS[tradedToken(sell, buy)]);
  return swapOutput(amount, reserves[sell], reserves[buy], fee);
}

/** Notes the price after a swap. The ledger's reserves are those after it. */
export function observePrice(store: ChainStore, ledger: Ledger, token: TradedToken, atMs: number): void {
  const reserves = ledger.pool(EXCHANGE_POOLS[token]);
  const last = store.observations.last(token);
  const price = scaledPrice(reserves.XAC, reserves[token]);
  store.observations.put(token, last ? nextObservation(last, atMs, price) : { atMs, cumulative: 0n, price });
}

function averageAt(store: ChainStore, token: TradedToken, atMs: number, windowMs: number): Ratio {
  const last = store.observations.last(token);
  const before = store.observations.before(token, atMs - windowMs);
  if (!last || !before) return ratio(0);
  return averageRate(before, last, atMs, windowMs);
}
