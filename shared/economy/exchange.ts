/**
 * The exchange (docs/economy.md#exchange): a constant-product pool for each token that trades with XAC, and the
 * time-weighted rate that the payment rules ask.
 *
 * Reserves are ordinary pools of the network, so what holds for pools holds for them: nothing is created or lost.
 */
import { AceError } from '../errors.ts';
import { exp2, log2 } from './log2.ts';
import { amount, type Token, type TokenAmount } from './money.ts';
import { type Ratio, ratio } from './ratio.ts';
import type { Pool } from './settings.ts';

/** The tokens that trade with XAC, and the pool that holds the reserves of both. */
export const EXCHANGE_POOLS = {
  XAT: 'exchangeXat',
  XAS: 'exchangeXas',
  XAB: 'exchangeXab',
} as const satisfies Partial<Record<Token, Pool>>;
export type TradedToken = keyof typeof EXCHANGE_POOLS;
export const TRADED_TOKENS = Object.keys(EXCHANGE_POOLS) as TradedToken[];

/** Rates from the exchange have 18 decimals, rounded down. */
const RATE_SCALE = 10n ** 18n;

/** The pair that a swap between two tokens uses: the one that is not XAC. Exactly one of the two must be. */
export function tradedToken(sell: Token, buy: Token): TradedToken {
  return (sell === 'XAC' ? buy : sell) as TradedToken;
}

/**
 * What selling `sold` base units gets, rounded down to one base unit, so that the product of the reserves never shrinks;
 * the fee, 0 to 1 of what is sold, stays in them. Reserves are those before the swap, base units.
 * @throws AceError `NoMarket` when a reserve is empty, `SlippageExceeded` when it would get nothing
 */
export function swapOutput(
  sold: TokenAmount,
  reserveSold: TokenAmount,
  reserveBought: TokenAmount,
  fee: Ratio,
): TokenAmount {
  if (reserveSold === 0n || reserveBought === 0n) {
    throw new AceError('NoMarket', 'The exchange has no reserves of this pair');
  }
  const soldAfterFee = sold * (fee.den - fee.num);
  const output = (reserveBought * soldAfterFee) / (reserveSold * fee.den + soldAfterFee);
  if (output === 0n)
    throw new AceError('SlippageExceeded', 'The amount is too small to get anything for it', {
      details: { reason: 'too-small' },
    });
  return amount(output);
}

/** XAC per token, of reserves in base units: in 10^-18, rounded down; 0 while there is no market. */
export function scaledPrice(reserveXac: TokenAmount, reserveToken: TokenAmount): bigint {
  return reserveToken === 0n ? 0n : (reserveXac * RATE_SCALE) / reserveToken;
}

/** A moment at which a pair's price changed. */
export interface PriceObservation {
  readonly atMs: number;
  /** Sum of log2(price) × milliseconds from the pair's beginning to this moment, in 2^-64 · ms. */
  readonly cumulative: bigint;
  /** Price from this moment on, in 10^-18. */
  readonly price: bigint;
}

/** The observation that follows `last` when the price changes at `atMs`, which is not before it. */
export function nextObservation(last: PriceObservation, atMs: number, price: bigint): PriceObservation {
  return { atMs, cumulative: cumulativeAt(last, atMs), price };
}

/**
 * XAC per token over the window that ends at `nowMs`: the geometric mean, weighted by time, rounded down to 18 decimals
 * (docs/decisions/0008). `before` is the last observation at or before the window's beginning, or else the first, whose
 * price then counts for all of the window before it; `last` is the latest. While nothing changed it is the price itself.
 */
export function averageRate(
  before: PriceObservation,
  last: PriceObservation,
  nowMs: number,
  windowMs: number,
): Ratio {
  const fromMs = nowMs - windowMs;
  if (last.atMs <= Math.max(fromMs, before.atMs)) return ratio(last.price, RATE_SCALE);
  const grown = cumulativeAt(last, nowMs) - cumulativeAt(before, fromMs);
  return ratio(exp2(grown / BigInt(windowMs)), RATE_SCALE);
}

/** Before its moment too, as if its price had been there always. A price below 10^-18 counts as that. */
function cumulativeAt({ atMs, cumulative, price }: PriceObservation, whenMs: number): bigint {
  return cumulative + log2(price > 0n ? price : 1n) * BigInt(whenMs - atMs);
}
