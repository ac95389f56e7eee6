/**
 * A devnet's validator: its key, its faucet account, its settings and genesis, made at the first start and kept.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Libp2p } from '@libp2p/interface';
import { z } from 'zod';
import { AceError, isAceError } from '../../shared/errors.ts';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../shared/exchange.ts';
import { amount, BASE_UNITS_PER_TOKEN, type Token } from '../../shared/money.ts';
import { ratio, ratioFromDecimal } from '../../shared/ratio.ts';
import type { Genesis, NetworkSettings, Pool } from '../../shared/settings.ts';
import { type EmbeddedChainOptions, openEmbeddedChain } from '../chain/embedded/embedded-chain.ts';
import type { MainChain } from '../chain/port.ts';
import { Closers } from '../closers.ts';
import { DEFAULT_DEVNET, type DevnetProfile, isPositiveDecimal } from '../config.ts';
import { type DataDirLock, lockDataDir } from '../db/lock.ts';
import { openValidatorStore } from '../db/validator/store.ts';
import { createLog } from '../log.ts';
import { createHost } from '../p2p/host.ts';
import { accountFromPhrase } from '../wallet/account.ts';
import { writeFileAtomic } from '../wallet/atomic-write.ts';
import { createDevice, type DeviceIdentity, deviceFromSeed } from '../wallet/device.ts';
import { openWallet, saveWallet, walletExists } from '../wallet/keystore.ts';
import { createPhrase } from '../wallet/phrase.ts';
import { startValidator, type Validator } from './validator.ts';

export interface RunningValidator {
  readonly host: Libp2p;
  /** Where nodes reach it. */
  readonly multiaddr: string;
  readonly chain: MainChain;
  readonly validator: Validator;
  readonly settings: NetworkSettings;
  stop(): Promise<void>;
}

export interface DevnetValidatorOptions {
  readonly dataDir: string;
  /** TCP port for nodes; 0 takes any free one. */
  readonly port: number;
  /** For a new devnet; an existing one keeps its own. */
  readonly profile?: DevnetProfile | undefined;
}

/** Genesis of ECONOMY.md: 100,000,000,000 XAT, 90 % of it locked; the faucet's part comes out of the rest. */
const GENESIS_XAT = 100_000_000_000n * BASE_UNITS_PER_TOKEN;
const LOCKED_XAT = 90_000_000_000n * BASE_UNITS_PER_TOKEN;
/** What a devnet's exchange begins with of each token of a pair. */
const RESERVE = amount(1_000_000n * BASE_UNITS_PER_TOKEN);
const FAUCET_XAS = amount(1_000_000n * BASE_UNITS_PER_TOKEN);
const FAUCET_XAB = amount(1_000_000n * BASE_UNITS_PER_TOKEN);
const EXCHANGE_RESERVES = TRADED_TOKENS.flatMap((token): [Pool, Token][] => [
  [EXCHANGE_POOLS[token], token],
  [EXCHANGE_POOLS[token], 'XAC'],
]);
const DEVNET_CHAIN_ID = 31_337;

const profileSchema = z.object({
  networkId: z.string(),
  trafficCreditLimitUnits: z.number().int().nonnegative(),
  trafficRateGbPerHour: z.string().refine(isPositiveDecimal),
  priorWeightHours: z.number().int().positive(),
  xacPerXat: z.string().refine(isPositiveDecimal),
  settlementIntervalMs: z.number().int().positive(),
  faucetXat: z.number().int().positive(),
});
type StoredProfile = z.infer<typeof profileSchema>;

/** @throws AceError `DataDirInUse`, `DataDirNotWritable`, `DataDirMismatch`, `SchemaTooNew`, `PortInUse`, … */
export async function runDevnetValidator(options: DevnetValidatorOptions): Promise<RunningValidator> {
  const { dataDir } = options;
  const lock = lockDataDir(dataDir);
  try {
    return await run(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Where a devnet's main chain lies and what it was made with; its validator may be running.
 * @throws AceError `FileMissing` when there is no chain in this directory, `DataDirMismatch`
 */
export async function devnetChainOptions(dataDir: string): Promise<EmbeddedChainOptions> {
  const path = join(dataDir, 'chain.db');
  if (!existsSync(path)) throw new AceError('FileMissing', `There is no main chain in ${dataDir}`);
  const { phrase, device } = await validatorSecrets(join(dataDir, 'wallet.json'));
  const stored = await storedProfile(dataDir, DEFAULT_DEVNET);
  const faucet = accountFromPhrase(phrase).address;
  return {
    path,
    settings: devnetSettings(stored, device, faucet),
    genesis: devnetGenesis(stored, faucet),
    nowMs: () => Date.now(),
  };
}

async function run(
  { dataDir, port, profile }: DevnetValidatorOptions,
  lock: DataDirLock,
): Promise<RunningValidator> {
  const nowMs = () => Date.now();
  const { phrase, device } = await validatorSecrets(join(dataDir, 'wallet.json'));
  const faucet = accountFromPhrase(phrase);
  const stored = await storedProfile(dataDir, profile ?? DEFAULT_DEVNET);
  const settings = devnetSettings(stored, device, faucet.address);
  const log = createLog(join(dataDir, 'validator.log'));

  const chain = openEmbeddedChain({
    path: join(dataDir, 'chain.db'),
    settings,
    genesis: devnetGenesis(stored, faucet.address),
    nowMs,
  });
  const closers = new Closers();
  closers.add(() => lock.release());
  closers.add(() => chain.close());
  try {
    const store = openValidatorStore(join(dataDir, 'validator.db'));
    closers.add(() => store.close());
    const host = await listenAsBefore(device, port, join(dataDir, 'port'));
    closers.add(() => host.stop());
    const validator = await startValidator({ host, chain, store, key: device, shard: 0, faucet, nowMs, log });
    closers.add(() => validator.stop());
    const multiaddr = host.getMultiaddrs()[0]?.toString();
    if (!multiaddr) throw new AceError('Internal', 'The validator listens nowhere');
    return { host, multiaddr, chain, validator, settings, stop: () => closers.close() };
  } catch (error) {
    await closers.close().catch(() => undefined); // what went wrong first is what is told
    throw error;
  }
}

/** Any free port means the one of the last time, if it is still free: joined nodes keep finding their validator. */
async function listenAsBefore(device: DeviceIdentity, port: number, portFile: string): Promise<Libp2p> {
  const listenOn = (tcpPort: number) =>
    createHost({ deviceSeed: device.seed(), listen: [`/ip4/127.0.0.1/tcp/${tcpPort}`] });
  const last = port === 0 && existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : port;
  const wanted = Number.isInteger(last) && last > 0 && last <= 65_535 ? last : port;
  const host = await listenOn(wanted).catch((error: unknown) => {
    if (port !== 0 || !isAceError(error, 'PortInUse')) throw error;
    return listenOn(0);
  });
  const used = /\/tcp\/(\d+)/.exec(host.getMultiaddrs()[0]?.toString() ?? '')?.[1];
  if (used) await writeFileAtomic(portFile, used, 0o600);
  return host;
}

async function validatorSecrets(path: string): Promise<{ phrase: string; device: DeviceIdentity }> {
  if (!walletExists(path)) {
    const device = createDevice();
    await saveWallet(
      path,
      { phrase: createPhrase(12), deviceSeed: device.seed() },
      { protection: 'none', devnet: true },
    );
  }
  const { phrase, deviceSeed } = await openWallet(path, { protection: 'none', devnet: true });
  return { phrase, device: deviceFromSeed(deviceSeed) };
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
  const made = profileSchema.safeParse({
    networkId: `ace-devnet-${randomBytes(4).toString('hex')}`,
    ...profile,
  });
  if (!made.success) {
    const field = made.error.issues[0]?.path.join('.') ?? '';
    throw new AceError('InvalidInput', `The profile of a devnet cannot have this ${field}`, {
      cause: made.error,
    });
  }
  await writeFileAtomic(profilePath(dataDir), `${JSON.stringify(made.data, null, 2)}\n`, 0o600);
  return made.data;
}

function profilePath(dataDir: string): string {
  return join(dataDir, 'profile.json');
}

function devnetSettings(profile: StoredProfile, device: DeviceIdentity, faucet: string): NetworkSettings {
  return {
    networkId: profile.networkId,
    chainId: DEVNET_CHAIN_ID,
    trafficCreditLimitUnits: profile.trafficCreditLimitUnits,
    trafficFee: ratio(10, 100),
    premiumPoolAccessFee: ratio(30, 100),
    contentAccessFee: ratio(30, 100),
    trafficPriceUsd: ratioFromDecimal('0.01'),
    initialTrafficRate: ratioFromDecimal(profile.trafficRateGbPerHour),
    priorWeightHours: profile.priorWeightHours,
    settlementIntervalMs: profile.settlementIntervalMs,
    validatorKeys: [Buffer.from(device.publicKey).toString('hex')],
    pinnedXacPerXat: ratioFromDecimal(profile.xacPerXat),
    pinnedXacPerXas: ratio(1, 1),
    swapFee: ratio(3, 1_000),
    rateWindowMs: 600_000,
    initialAceBytePriceUsd: ratio(1, 1),
    feedAccount: faucet,
    treasury: faucet,
  };
}

function devnetGenesis(profile: StoredProfile, faucet: string): Genesis {
  const faucetXat = BigInt(profile.faucetXat) * BASE_UNITS_PER_TOKEN;
  return {
    accounts: [
      { address: faucet, token: 'XAT', amount: amount(faucetXat) },
      { address: faucet, token: 'XAS', amount: FAUCET_XAS },
      { address: faucet, token: 'XAB', amount: FAUCET_XAB },
    ],
    pools: [
      { pool: 'lockedPool', token: 'XAT', amount: amount(LOCKED_XAT) },
      { pool: 'unlockedPool', token: 'XAT', amount: amount(GENESIS_XAT - LOCKED_XAT - faucetXat - RESERVE) },
      // XAC that nobody paid for: only a devnet has any, so that its exchange works from the first minute.
      ...EXCHANGE_RESERVES.map(([pool, token]) => ({ pool, token, amount: RESERVE })),
    ],
  };
}
