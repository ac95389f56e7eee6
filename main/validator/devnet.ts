/**
 * A devnet's validator: its key, its faucet account, its settings and genesis, made at the first start and kept.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  DEFAULT_DEVNET,
  type DevnetProfile,
  isPositiveDecimal,
  MAX_DEVNET_SHARDS,
} from '../../shared/devnet-profile.ts';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../shared/economy/exchange.ts';
import { amount, BASE_UNITS_PER_TOKEN, type Token, type TokenAmount } from '../../shared/economy/money.ts';
import { mintCostXab } from '../../shared/economy/price.ts';
import { overDown, ratio, ratioFromDecimal, timesDown } from '../../shared/economy/ratio.ts';
import type { Genesis, NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { openEmbeddedChain } from '../chain/embedded/embedded-chain.ts';
import { headTimeMs } from '../chain/embedded/stored-chain.ts';
import { serveChain } from '../chain/remote/server.ts';
import { ShardDirectory } from '../chain/remote/shard-directory.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { keepOthersOut } from '../data-dir/other-users.ts';
import { lockDataDir } from '../db/lock.ts';
import { openValidatorStore } from '../db/validator/store.ts';
import type { ReachSettings } from '../p2p/reach.ts';
import { createLog, type Log } from '../process/log.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { openResources } from '../util/resources.ts';
import { type Clocks, SYSTEM_CLOCKS } from '../util/steady-clock.ts';
import { accountFromPhrase } from '../wallet/account.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { lastRecordMs, validatorClock, warnOfFuture } from './clock-guard.ts';
import { type RunningValidator, serveValidator } from './running-validator.ts';
import { devnetShardSchema, makeShardFolders, readShardFile } from './shard-folders.ts';
import { shardRouter } from './shard-gossip.ts';
import { listenAsBefore, validatorSecrets } from './validator-files.ts';

export interface DevnetValidatorOptions {
  readonly dataDir: string;
  /** TCP port for nodes; 0 takes any free one. */
  readonly port: number;
  /** IP addresses or multiaddrs to listen on; loopback when left out. */
  readonly listen?: readonly string[] | undefined;
  /** Addresses that the user knows to lead here. */
  readonly announce?: readonly string[] | undefined;
  /** What differs from what fits the listen addresses. */
  readonly reach?: Partial<ReachSettings> | undefined;
  /** For a new devnet; an existing one keeps its own. */
  readonly profile?: DevnetProfile | undefined;
  /** Left out: the file in the folder. */
  readonly log?: Log;
  /** Left out: the computer's. */
  readonly clocks?: Clocks;
}

/** Genesis (docs/economy.md#tokens): 100,000,000,000 XAT, 90 % of it locked; the faucet's part comes out of the rest. */
const GENESIS_XAT = 100_000_000_000n * BASE_UNITS_PER_TOKEN;
const LOCKED_XAT = 90_000_000_000n * BASE_UNITS_PER_TOKEN;
/** Most that a devnet's exchange begins with of XAT and of XAC. */
const RESERVE = amount(1_000_000n * BASE_UNITS_PER_TOKEN);
const FAUCET_XAS = amount(1_000_000n * BASE_UNITS_PER_TOKEN);
const FAUCET_XAB = amount(1_000_000n * BASE_UNITS_PER_TOKEN);
const TRAFFIC_PRICE_USD = ratioFromDecimal('0.01');
const ACE_BYTE_PRICE_USD = ratio(1);
const DEVNET_CHAIN_ID = 31_337;

const profileSchema = z.object({
  networkId: z.string(),
  trafficCreditLimitUnits: z.number().int().nonnegative(),
  trafficRateGbPerHour: z.string().refine(isPositiveDecimal),
  priorWeightHours: z.number().int().positive(),
  xacPerXat: z.string().refine(isPositiveDecimal),
  settlementIntervalMs: z.number().int().positive(),
  faucetXat: z.number().int().positive(),
  /** By shard number; left out where there is one shard, whose key is in the folder itself. */
  shards: z.array(devnetShardSchema).min(2).max(MAX_DEVNET_SHARDS).optional(),
});
type StoredProfile = z.infer<typeof profileSchema>;

/** @throws AceError `DataDirInUse`, `DataDirNotWritable`, `DataDirMismatch`, `SchemaTooNew`, `PortInUse`, … */
export async function runDevnetValidator(options: DevnetValidatorOptions): Promise<RunningValidator> {
  const { dataDir } = options;
  const of = readShardFile(dataDir);
  if (of) {
    throw new AceError(
      'DataDirMismatch',
      `${dataDir} is of shard ${of.shard} of ${of.networkId}: give --chain with the address of shard 0`,
    );
  }
  return openResources((resources) => run(options, resources));
}

async function run(
  options: DevnetValidatorOptions,
  resources: AsyncDisposableStack,
): Promise<RunningValidator> {
  const { dataDir, port, listen, announce, reach, profile } = options;
  const lock = lockDataDir(dataDir);
  resources.defer(() => lock.release());
  const files = new DataDir(dataDir);
  const log = options.log ?? createLog(files.validatorLog);
  keepOthersOut(dataDir, log);
  const stored = await storedProfile(dataDir, profile ?? DEFAULT_DEVNET);
  const { phrase, device } = await validatorSecrets(files.wallet, {
    // The profile names the keys of many shards; one alone has its books once it has run.
    mayMake: stored.shards === undefined && !existsSync(files.chainDb),
  });
  const faucet = accountFromPhrase(phrase);
  const settings = devnetSettings(stored, device, faucet.address);

  const clock = validatorClock(options.clocks);
  const nowMs = () => clock.nowMs();
  const chain = openEmbeddedChain({
    path: files.chainDb,
    settings,
    genesis: devnetGenesis(stored, faucet.address),
    nowMs,
  });
  resources.defer(() => chain.close());
  const store = openValidatorStore(files.validatorDb);
  resources.defer(() => store.close());
  const headMs = headTimeMs(files.chainDb);
  warnOfFuture(log, files.chainDb, headMs, (options.clocks ?? SYSTEM_CLOCKS).wallMs());
  clock.startAfter(Math.max(headMs, lastRecordMs(store)));
  const router = shardRouter();
  const host = await listenAsBefore(device, { port, listen, announce, reach }, files.port, router);
  resources.defer(() => host.stop());
  const directory = new ShardDirectory();
  directory.register(0, host.getMultiaddrs().map(String), host.peerId.toString());
  if (settings.validatorKeys.length > 1) {
    const onError = (error: unknown, peer: string) =>
      log.warn({ err: error, peer }, 'a peer broke the chain protocol');
    await serveChain({ host, chain, directory, devnet: true, nowMs, onError });
  }
  return serveValidator(
    {
      ...{ router, host, chain, store, faucet, clock, log },
      key: device,
      shard: 0,
      shardAddresses: () => directory.all(),
    },
    resources,
  );
}

/** The profile that a devnet was made with; `null` where there is none yet. @throws AceError `DataDirMismatch` */
export function readProfile(dataDir: string): StoredProfile | null {
  const path = profilePath(dataDir);
  if (!existsSync(path)) return null;
  try {
    return profileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AceError('DataDirMismatch', `${path} is not a network profile of this Ace Node`, { cause });
  }
}

async function storedProfile(dataDir: string, profile: DevnetProfile): Promise<StoredProfile> {
  const existing = readProfile(dataDir);
  if (existing) return existing;
  // Checked before it is kept: a directory with a profile that means nothing could never be started again.
  const { shards = 1, ...rest } = profile;
  const networkId = `ace-devnet-${toHex(randomBytes(4))}`;
  const made = profileSchema.safeParse({ networkId, ...rest });
  if (!made.success) {
    const field = made.error.issues[0]?.path.join('.') ?? '';
    throw new AceError('InvalidInput', `The profile of a devnet cannot have this ${field}`, {
      cause: made.error,
    });
  }
  const stored: StoredProfile =
    shards === 1 ? made.data : { ...made.data, shards: await makeShardFolders(dataDir, networkId, shards) };
  await writeFileAtomic(profilePath(dataDir), `${JSON.stringify(stored, null, 2)}\n`, 0o600);
  return stored;
}

function profilePath(dataDir: string): string {
  return new DataDir(dataDir).profile;
}

function devnetSettings(profile: StoredProfile, device: DeviceIdentity, faucet: string): NetworkSettings {
  return {
    networkId: profile.networkId,
    chainId: DEVNET_CHAIN_ID,
    trafficCreditLimitUnits: profile.trafficCreditLimitUnits,
    trafficFee: ratio(10, 100),
    premiumPoolAccessFee: ratio(30, 100),
    contentAccessFee: ratio(30, 100),
    trafficPriceUsd: TRAFFIC_PRICE_USD,
    initialTrafficRate: ratioFromDecimal(profile.trafficRateGbPerHour),
    priorWeightHours: profile.priorWeightHours,
    settlementIntervalMs: profile.settlementIntervalMs,
    validatorKeys: profile.shards?.map(({ validatorKey }) => validatorKey) ?? [toHex(device.publicKey)],
    pinnedXacPerXat: ratioFromDecimal(profile.xacPerXat),
    pinnedXacPerXas: ratio(1, 1),
    swapFee: ratio(3, 1_000),
    rateWindowMs: 600_000,
    initialAceBytePriceUsd: ACE_BYTE_PRICE_USD,
    feedAccount: faucet,
    treasury: faucet,
  };
}

function devnetGenesis(profile: StoredProfile, faucet: string): Genesis {
  const faucetXat = BigInt(profile.faucetXat) * BASE_UNITS_PER_TOKEN;
  const reserves = devnetReserves(profile);
  const faucets = profile.shards?.map((shard) => shard.faucet) ?? [faucet];
  const share = faucetXat / BigInt(faucets.length);
  const first = faucetXat - share * BigInt(faucets.length - 1);
  return {
    accounts: [
      // Each shard's faucet has its part.
      ...faucets.map((address, shard) => ({
        address,
        place: 'main' as const,
        token: 'XAT' as const,
        amount: amount(shard === 0 ? first : share),
      })),
      { address: faucet, place: 'main', token: 'XAS', amount: FAUCET_XAS },
      { address: faucet, place: 'main', token: 'XAB', amount: FAUCET_XAB },
    ],
    pools: [
      { pool: 'lockedPool', token: 'XAT', amount: amount(LOCKED_XAT) },
      {
        pool: 'unlockedPool',
        token: 'XAT',
        amount: amount(GENESIS_XAT - LOCKED_XAT - faucetXat - reserves.XAT),
      },
      // XAC that no payment emitted: only a devnet has any, so that its exchange works from the first minute.
      ...TRADED_TOKENS.flatMap((token) => [
        { pool: EXCHANGE_POOLS[token], token, amount: reserves[token] },
        { pool: EXCHANGE_POOLS[token], token: 'XAC' as const, amount: reserves.XAC },
      ]),
    ],
  };
}

/**
 * What the exchange begins with of each token of a pair: all worth the same, at the rates that the profile pins and at
 * what it costs to mint XAT, so that going round between them earns nothing.
 */
function devnetReserves(profile: StoredProfile): Readonly<Record<Token, TokenAmount>> {
  const xacPerXat = ratioFromDecimal(profile.xacPerXat);
  const dear = xacPerXat.num > xacPerXat.den;
  const XAT = amount(dear ? overDown(RESERVE, xacPerXat) : RESERVE);
  const XAC = amount(dear ? RESERVE : timesDown(RESERVE, xacPerXat));
  const rate = ratioFromDecimal(profile.trafficRateGbPerHour);
  return { XAT, XAC, XAS: XAC, XAB: mintCostXab(XAT, rate, TRAFFIC_PRICE_USD, ACE_BYTE_PRICE_USD) };
}
