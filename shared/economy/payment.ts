/**
 * Paying for a service (docs/economy.md#paying).
 *
 * One pure function decides what a payment moves; the chain applies it, the shard plans with it, the screen quotes it.
 * Rounding: the price is rounded up before it comes here, once; XAT burned and XAS moved are rounded up to one base
 * unit, fees down. Whatever is taken from the payer is burned, fee or the payee's: nothing is created or lost.
 */
import { AceError, invariant } from '../errors.ts';
import { amount, formatAmount, MAX_AMOUNT, type TokenAmount } from './money.ts';
import type { ExchangeRates } from './price.ts';
import { overDown, overUp, type Ratio, timesDown } from './ratio.ts';

/** What a payer can pay with, in base units. */
export interface Funds {
  readonly XAC: TokenAmount;
  readonly XAT: TokenAmount;
  readonly XAS: TokenAmount;
}

/** Everything that one payment moves, in base units. */
export interface Payment {
  /** XAC taken from the payer. */
  readonly xacFromPayer: TokenAmount;
  /** XAT taken from the payer and burned. */
  readonly xatBurned: TokenAmount;
  /** XAC emitted for the burned XAT. */
  readonly xacEmitted: TokenAmount;
  /** XAS taken from the payer; transferred, never burned. */
  readonly xasFromPayer: TokenAmount;
  /** XAT moved from lockedPool to unlockedPool. */
  readonly xatUnlocked: TokenAmount;
  /** Fee, to the service's fee pool. */
  readonly feeXac: TokenAmount;
  readonly feeXas: TokenAmount;
  /** Net, to the payee. */
  readonly payeeXac: TokenAmount;
  readonly payeeXas: TokenAmount;
}

/**
 * The funds as far as they can be used while no more than `roomXac` base units of XAC may still be emitted: XAT beyond
 * that buys nothing.
 */
export function usableFunds(funds: Funds, rates: ExchangeRates, roomXac: bigint): Funds {
  const { num, den } = rates.xacPerXat;
  if (funds.XAT * num <= roomXac * den) return funds;
  return { XAC: funds.XAC, XAT: amount(overDown(roomXac, rates.xacPerXat)), XAS: funds.XAS };
}

/** The most XAC that these funds can pay at once (docs/economy.md#paying), base units: rounded down per token, at most MAX_AMOUNT. */
export function purchasingPowerXac(funds: Funds, rates: ExchangeRates): TokenAmount {
  const power = funds.XAC + timesDown(funds.XAT, rates.xacPerXat) + timesDown(funds.XAS, rates.xacPerXas);
  return amount(min(power, MAX_AMOUNT));
}

/**
 * Plans a payment of `priceXac` (base units): XAC first, then XAT burned for emitted XAC, then XAS. `feeRate` is 0 to 1;
 * `lockedPoolXat` is what lockedPool holds, base units.
 * @throws AceError `InsufficientFunds` when all three together do not reach, and nothing moves at all; `InvalidAmount` for
 * a fee above 1; `InvariantViolated`
 */
export function planPayment(
  funds: Funds,
  priceXac: TokenAmount,
  rates: ExchangeRates,
  feeRate: Ratio,
  lockedPoolXat: TokenAmount,
): Payment {
  const xacFromPayer = min(funds.XAC, priceXac);
  const afterXac = priceXac - xacFromPayer;

  const xacEmitted = min(afterXac, timesDown(funds.XAT, rates.xacPerXat));
  // Burning only what the emitted XAC stands for keeps emitted × rate = burned within one base unit of XAT.
  const xatBurned = xacEmitted === 0n ? 0n : overUp(xacEmitted, rates.xacPerXat);
  const afterXat = afterXac - xacEmitted;

  const xasFromPayer = afterXat === 0n || rates.xacPerXas.num === 0n ? 0n : overUp(afterXat, rates.xacPerXas);
  if (xasFromPayer > funds.XAS || (afterXat > 0n && xasFromPayer === 0n)) {
    throw new AceError('InsufficientFunds', `The funds do not cover ${formatAmount(priceXac)} XAC`);
  }
  invariant(xatBurned <= funds.XAT, 'a payment burns no more XAT than the payer has');

  const receivedXac = xacFromPayer + xacEmitted;
  const feeXac = timesDown(receivedXac, feeRate);
  const feeXas = timesDown(xasFromPayer, feeRate);
  return {
    xacFromPayer: amount(xacFromPayer),
    xatBurned: amount(xatBurned),
    xacEmitted: amount(xacEmitted),
    xasFromPayer: amount(xasFromPayer),
    xatUnlocked: amount(min(xatBurned, lockedPoolXat)),
    feeXac: amount(feeXac),
    feeXas: amount(feeXas),
    payeeXac: amount(receivedXac - feeXac),
    payeeXas: amount(xasFromPayer - feeXas),
  };
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
