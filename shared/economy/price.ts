/**
 * What traffic costs (docs/economy.md#price).
 *
 * trafficRate is never stored as a number: the network keeps two exact totals, and every price is a ratio of them.
 */
import { AceError } from '../errors.ts';
import { amount, BASE_UNITS_PER_TOKEN, type TokenAmount } from './money.ts';
import { divide, multiply, type Ratio, ratio, timesUp } from './ratio.ts';
import { UNITS_PER_GB } from './units.ts';

const MS_PER_HOUR = 3_600_000n;

/** Whole-life totals of the network: traffic used to view video, and time spent viewing. */
export interface TrafficTotals {
  /** Traffic units used to view video. Changed by settlement batches only. */
  readonly videoUnits: bigint;
  /** Milliseconds spent viewing. Changed by settlement batches only. */
  readonly watchMs: bigint;
}

/** No video has less than 64 kbit/s: 1 MiB lasts at most this long. Bounds watch time by media played. */
export const MAX_WATCH_MS_PER_UNIT = 131_072;
/** Nor more than 131 Mbit/s: 1 MiB lasts at least this long. Traffic that nobody had the time to watch is no viewing. */
export const MIN_WATCH_MS_PER_UNIT = 64;

/**
 * Of `totals`, as much as traffic can have been watched for: no more units than `units`, and than the time has room for,
 * no more time than these can play. What a shard reports sets the price of everybody's traffic.
 */
export function creditableTotals(totals: TrafficTotals, units: bigint): TrafficTotals {
  const videoUnits = least(least(totals.videoUnits, units), totals.watchMs / BigInt(MIN_WATCH_MS_PER_UNIT));
  return { videoUnits, watchMs: least(totals.watchMs, videoUnits * BigInt(MAX_WATCH_MS_PER_UNIT)) };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** What 1 base unit of one token buys of another, both in base units. */
export interface ExchangeRates {
  /** XAC per XAT. */
  readonly xacPerXat: Ratio;
  /** XAC per XAS. */
  readonly xacPerXas: Ratio;
}

/**
 * Genesis totals that encode an initial rate (GB per hour) exactly, with a prior weight in hours of viewing. Where those
 * hours do not hold a whole number of units, the weight is the next multiple of them that does. Nothing is rounded.
 * @throws AceError `InvalidAmount` when a rate or a weight is negative
 */
export function genesisTotals(trafficRateGbPerHour: Ratio, priorWeightHours: number): TrafficTotals {
  const hours = BigInt(priorWeightHours);
  const units = multiply(trafficRateGbPerHour, ratio(BigInt(UNITS_PER_GB) * hours));
  return { videoUnits: units.num, watchMs: hours * units.den * MS_PER_HOUR };
}

/**
 * trafficRate in GB per hour: all traffic used to view video ÷ all time spent viewing. Exact, not rounded.
 * @throws AceError `InvalidInput` while nothing was ever watched
 */
export function trafficRate(totals: TrafficTotals): Ratio {
  if (totals.watchMs <= 0n || totals.videoUnits <= 0n)
    throw new AceError('InvalidInput', 'Traffic totals must be positive');
  return ratio(totals.videoUnits * MS_PER_HOUR, totals.watchMs * BigInt(UNITS_PER_GB));
}

/**
 * XAT base units per traffic unit: 1 GB costs 1 ÷ trafficRate XAT, so watchMs × 10^7 / (videoUnits × 3,600,000). Exact, not
 * rounded.
 * @throws AceError `InvalidInput` while nothing was ever watched
 */
export function unitPriceXat(totals: TrafficTotals): Ratio {
  return divide(ratio(BASE_UNITS_PER_TOKEN), multiply(trafficRate(totals), ratio(UNITS_PER_GB)));
}

/**
 * XAC base units per traffic unit: the XAT price × the XAT→XAC rate. Exact, not rounded.
 * @throws AceError as {@link unitPriceXat}
 */
export function unitPriceXac(totals: TrafficTotals, rates: ExchangeRates): Ratio {
  return multiply(unitPriceXat(totals), rates.xacPerXat);
}

/**
 * Price of `units` in the base units of `unitPrice`: rounded up to one base unit, once.
 * @throws AceError `InvalidAmount` when that is more than can exist
 */
export function priceOfUnits(units: number, unitPrice: Ratio): TokenAmount {
  return amount(timesUp(BigInt(units), unitPrice));
}

/**
 * aceTimePrice: XAB base units that mint 1 XAT, trafficRate × trafficPriceUSD / aceBytePriceUSD, rounded up. Prices are USD
 * per GB and per XAB.
 * @throws AceError `InvalidAmount` when the price of XAB is 0, or the result more than can exist
 */
export function aceTimePrice(
  rateGbPerHour: Ratio,
  trafficPriceUsd: Ratio,
  aceBytePriceUsd: Ratio,
): TokenAmount {
  return mintCostXab(amount(BASE_UNITS_PER_TOKEN), rateGbPerHour, trafficPriceUsd, aceBytePriceUsd);
}

/**
 * XAB base units that mint `amountXat` base units at aceTimePrice: rounded up to one base unit, once, so never free.
 * @throws AceError `InvalidAmount` when the price of XAB is 0, or that is more than can exist
 */
export function mintCostXab(
  amountXat: TokenAmount,
  rateGbPerHour: Ratio,
  trafficPriceUsd: Ratio,
  aceBytePriceUsd: Ratio,
): TokenAmount {
  return amount(timesUp(amountXat, divide(multiply(rateGbPerHour, trafficPriceUsd), aceBytePriceUsd)));
}
