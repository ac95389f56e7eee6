/** What `ace-node chain info` prints: every figure of a main chain, for scripts and for people. */

import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../shared/economy/exchange.ts';
import { BASE_UNITS_PER_TOKEN, type Balances, formatAmount, TOKENS } from '../../shared/economy/money.ts';
import { trafficRate, unitPriceXac, unitPriceXat } from '../../shared/economy/price.ts';
import { divide, formatRatio, multiply, type Ratio, ratio } from '../../shared/economy/ratio.ts';
import { type NetworkSettings, POOLS } from '../../shared/economy/settings.ts';
import { UNITS_PER_GB } from '../../shared/economy/units.ts';
import { toHex } from '../../shared/hex.ts';
import type { MainChain } from '../chain/port.ts';

const SIGNIFICANT_DIGITS = 8;
const HOUR_MS = 3_600_000;

/** Rates and prices exact and as a decimal; amounts as decimals with all 7 digits. */
export async function readInfo(chain: MainChain) {
  const settings = chain.settings();
  const { totals, rates, aceBytePriceUsd } = await chain.market();
  const [supply, pools, head] = [await chain.supply(), await chain.pools(), await chain.head()];
  const rate = trafficRate(totals);
  // Base units of a token per traffic unit, to tokens per GB.
  const perGb = ratio(UNITS_PER_GB, BASE_UNITS_PER_TOKEN);
  const lastBatches = await Promise.all(
    settings.validatorKeys.map(async (_key, shard) => ({
      shard,
      number: (await chain.lastBatch(shard)).number,
    })),
  );
  return {
    networkId: settings.networkId,
    height: head.height,
    headHash: toHex(head.hash),
    batches: lastBatches,
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, isRatio(value) ? figure(value) : value]),
    ) as Record<keyof NetworkSettings, Setting>,
    totals: { videoUnits: totals.videoUnits.toString(), watchMs: totals.watchMs.toString() },
    price: {
      trafficRateGbPerHour: figure(rate),
      xatPerGb: figure(multiply(unitPriceXat(totals), perGb)),
      xacPerGb: figure(multiply(unitPriceXac(totals, rates), perGb)),
      xacPerXat: figure(rates.xacPerXat),
      xacPerXas: figure(rates.xacPerXas),
      aceBytePriceUsd: figure(aceBytePriceUsd),
      aceTimePriceXab: figure(divide(multiply(rate, settings.trafficPriceUsd), aceBytePriceUsd)),
    },
    pools: Object.fromEntries(POOLS.map((pool) => [pool, decimals(pools[pool])])),
    supply: Object.fromEntries(
      TOKENS.map((token) => {
        const { genesis, emitted, burned } = supply[token];
        return [
          token,
          {
            genesis: formatAmount(genesis),
            emitted: formatAmount(emitted),
            burned: formatAmount(burned),
            existing: formatAmount(genesis + emitted - burned),
          },
        ];
      }),
    ),
  };
}

export type ChainInfo = Awaited<ReturnType<typeof readInfo>>;

/** A rate or a price: `num/den` in lowest terms, and the decimal that is close to it. */
interface Figure {
  readonly exact: string;
  readonly decimal: string;
}

type Setting = Figure | string | number | readonly string[] | null;

/** One line per figure: its name and what it is. */
export function describeInfo(info: ChainInfo): string {
  const { price, totals } = info;
  const exchange = new Set<string>(TRADED_TOKENS.map((token) => EXCHANGE_POOLS[token]));
  const { networkId, ...settings } = info.settings;
  const rows: [string, string][] = [
    ['Network', info.networkId],
    ['Head', `${info.height}, ${info.headHash}`],
    ['Last batch', info.batches.map(({ shard, number }) => `shard ${shard}: ${number}`).join(', ')],
    [
      'Traffic',
      `${totals.videoUnits} MiB of video, viewed for ${(Number(totals.watchMs) / HOUR_MS).toFixed(1)} hours`,
    ],
    ['Traffic rate', `${price.trafficRateGbPerHour.decimal} GB per hour`],
    ['1 GB', `${price.xatPerGb.decimal} XAT, ${price.xacPerGb.decimal} XAC`],
    ['1 XAT', `${price.xacPerXat.decimal} XAC, or minted from ${price.aceTimePriceXab.decimal} XAB`],
    ['1 XAS', `${price.xacPerXas.decimal} XAC`],
    ['1 XAB', `${price.aceBytePriceUsd.decimal} USD`],
    ...Object.entries(settings).map(([name, value]): [string, string] => [name, settingText(value)]),
    ...Object.entries(info.supply).map(([token, s]): [string, string] => [
      `${token} exists`,
      `${s.existing} (genesis ${s.genesis}, emitted ${s.emitted}, burned ${s.burned})`,
    ]),
    ...Object.entries(info.pools).map(([pool, balances]): [string, string] => [
      exchange.has(pool) ? `${pool} (reserves)` : pool,
      Object.entries(balances)
        .map(([token, amount]) => `${amount} ${token}`)
        .join(', ') || 'empty',
    ]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`).join('\n');
}

/**
 * A decimal with as many digits as matter, rounded down: 3.5, 0.0000012345678, 1000000. Only zero is 0, and the
 * digits before the point are all there.
 */
export function significantDecimal({ num, den }: Ratio, digits = SIGNIFICANT_DIGITS): string {
  if (num === 0n) return '0';
  let decimals = Math.max(0, digits - (num / den).toString().length);
  if (num < den) {
    decimals = digits;
    for (let scaled = num * 10n; scaled < den; scaled *= 10n) decimals++;
  }
  const text = ((num * 10n ** BigInt(decimals)) / den).toString().padStart(decimals + 1, '0');
  if (decimals === 0) return text;
  return `${text.slice(0, -decimals)}.${text.slice(-decimals)}`.replace(/\.?0+$/, '');
}

function settingText(value: Setting): string {
  if (value === null) return 'none';
  if (typeof value === 'string' || typeof value === 'number') return `${value}`;
  return 'decimal' in value ? value.decimal : value.join(', ');
}

function figure(value: Ratio): Figure {
  return { exact: formatRatio(value), decimal: significantDecimal(value) };
}

/** The tokens that there are some of. */
function decimals(balances: Balances): Record<string, string> {
  return Object.fromEntries(
    TOKENS.filter((token) => balances[token] > 0n).map((token) => [token, formatAmount(balances[token])]),
  );
}

function isRatio(value: unknown): value is Ratio {
  return typeof value === 'object' && value !== null && 'num' in value && 'den' in value;
}
