/** `ace-node chain info` and `ace-node chain verify`: the main chain of a devnet, looked at and proved. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../shared/exchange.ts';
import { type Balances, formatAmount, TOKENS } from '../../shared/money.ts';
import { aceTimePrice, priceOfUnits, trafficRate, unitPriceXac, unitPriceXat } from '../../shared/price.ts';
import { type Ratio, ratioToDecimal } from '../../shared/ratio.ts';
import { POOLS } from '../../shared/settings.ts';
import { UNITS_PER_GB } from '../../shared/units.ts';
import { openChainSnapshot } from '../chain/embedded/embedded-chain.ts';
import { verifyChain } from '../chain/embedded/verify.ts';
import type { MainChain } from '../chain/port.ts';
import { nodePaths } from '../config.ts';
import { devnetChainOptions } from '../shard/devnet.ts';
import { createProgress } from './progress.ts';

const RATE_DIGITS = 7;

/** `ace-node chain info [--json]`. A validator may be running on the directory. */
export async function chainInfoCommand(dataDir: string, json: boolean): Promise<void> {
  const chain = openChainSnapshot(await devnetChainOptions(chainDir(dataDir)));
  try {
    const info = await readInfo(chain);
    process.stdout.write(json ? `${JSON.stringify(info, null, 2)}\n` : `${describe(info)}\n`);
  } finally {
    await chain.close();
  }
}

/** `ace-node chain verify [--json]`. @throws AceError `ChainDiverged` */
export async function chainVerifyCommand(dataDir: string, json: boolean): Promise<void> {
  const options = await devnetChainOptions(chainDir(dataDir));
  const scratchDir = await mkdtemp(join(tmpdir(), 'ace-node-verify-'));
  const progress = createProgress(
    'Verifying',
    process.stderr,
    (records) => `${records.toLocaleString('en')} records`,
  );
  try {
    const { height, headHash, operations, batches } = await verifyChain({
      ...options,
      scratchPath: join(scratchDir, 'chain.db'),
      onProgress: (done, all) => progress.update(done, all),
    });
    progress.end();
    const head = Buffer.from(headHash).toString('hex');
    if (json) {
      process.stdout.write(
        `${JSON.stringify({ verified: true, height, headHash: head, operations, batches }, null, 2)}\n`,
      );
      return;
    }
    process.stdout.write(
      `Verified: ${operations} operations and ${batches} batches, applied again, give the same books.\n` +
        `Head         ${height}, ${head}\n`,
    );
  } finally {
    progress.end();
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/** A validator's directory, or a node's that runs its own devnet. */
function chainDir(dataDir: string): string {
  const { validatorDir } = nodePaths(dataDir);
  const found = [dataDir, validatorDir].find((dir) => existsSync(join(dir, 'chain.db')));
  if (found) return found;
  throw new AceError(
    'FileMissing',
    `There is no main chain in ${dataDir}: a node's own devnet and ace-node validator have one`,
  );
}

async function readInfo(chain: MainChain) {
  const settings = chain.settings();
  const { totals, rates, aceBytePriceUsd } = await chain.market();
  const [supply, pools, head] = [await chain.supply(), await chain.pools(), await chain.head()];
  const rate = trafficRate(totals);
  const lastBatches = await Promise.all(
    settings.validatorKeys.map(async (_key, shard) => ({
      shard,
      number: (await chain.lastBatch(shard)).number,
    })),
  );
  return {
    networkId: settings.networkId,
    height: head.height,
    headHash: Buffer.from(head.hash).toString('hex'),
    batches: lastBatches,
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, isRatio(value) ? decimal(value) : value]),
    ),
    totals: { videoUnits: totals.videoUnits.toString(), watchMs: totals.watchMs.toString() },
    price: {
      trafficRateGbPerHour: decimal(rate),
      xatPerGb: formatAmount(priceOfUnits(UNITS_PER_GB, unitPriceXat(totals))),
      xacPerGb: formatAmount(priceOfUnits(UNITS_PER_GB, unitPriceXac(totals, rates))),
      xacPerXat: decimal(rates.xacPerXat),
      xacPerXas: decimal(rates.xacPerXas),
      aceBytePriceUsd: decimal(aceBytePriceUsd),
      aceTimePriceXab: formatAmount(aceTimePrice(rate, settings.trafficPriceUsd, aceBytePriceUsd)),
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

type Info = Awaited<ReturnType<typeof readInfo>>;

function describe(info: Info): string {
  const { price } = info;
  const exchange = new Set<string>(TRADED_TOKENS.map((token) => EXCHANGE_POOLS[token]));
  const rows: [string, string][] = [
    ['Network', info.networkId],
    ['Head', `${info.height}, ${info.headHash}`],
    ['Batches', info.batches.map(({ shard, number }) => `${number} of shard ${shard}`).join(', ')],
    ['Traffic rate', `${price.trafficRateGbPerHour} GB per hour`],
    ['1 GB', `${price.xatPerGb} XAT, ${price.xacPerGb} XAC`],
    ['1 XAT', `${price.xacPerXat} XAC, or minted from ${price.aceTimePriceXab} XAB`],
    ['1 XAS', `${price.xacPerXas} XAC`],
    ['1 XAB', `${price.aceBytePriceUsd} USD`],
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

/** The tokens that there are some of. */
function decimals(balances: Balances): Record<string, string> {
  return Object.fromEntries(
    TOKENS.filter((token) => balances[token] > 0n).map((token) => [token, formatAmount(balances[token])]),
  );
}

function isRatio(value: unknown): value is Ratio {
  return typeof value === 'object' && value !== null && 'num' in value && 'den' in value;
}

function decimal(value: Ratio): string {
  return ratioToDecimal(value, RATE_DIGITS);
}
