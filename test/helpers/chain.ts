import { privateKeyToAccount } from 'viem/accounts';
import { sealBatch } from '../../main/chain/batch-signature.ts';
import type { GenesisRecord } from '../../main/chain/embedded/genesis-record.ts';
import { readGenesis } from '../../main/chain/embedded/stored-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { openChainStore } from '../../main/db/chain/store.ts';
import { sha256 } from '../../main/util/sha256.ts';
import type { Account } from '../../main/wallet/account.ts';
import { type DeviceIdentity, deviceFromSeed } from '../../main/wallet/device.ts';
import type { SignedBatch } from '../../shared/chain.ts';
import { heldOf, type Place } from '../../shared/economy/holdings.ts';
import { parseAmount, type Token } from '../../shared/economy/money.ts';
import type { TrafficTotals } from '../../shared/economy/price.ts';
import { ratio, ratioFromDecimal } from '../../shared/economy/ratio.ts';
import type { Genesis, NetworkSettings, Pool } from '../../shared/economy/settings.ts';
import { homeShard } from '../../shared/home-shard.ts';
import { type Batch, type BatchEntry, type BatchResult, encodeBatch } from '../../shared/settlement/batch.ts';

/** Validators: the first is the test network's; all are those of {@link shardedSettings}. */
export const VALIDATORS: readonly DeviceIdentity[] = [1, 2, 3].map((n) =>
  deviceFromSeed(new Uint8Array(32).fill(n)),
);

const VALIDATOR_KEYS = VALIDATORS.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'));

/** 1 GB costs 0.01 XAC, 10 GB of credit, one shard. */
export function testSettings(overrides: Partial<NetworkSettings> = {}): NetworkSettings {
  return {
    networkId: 'test',
    chainId: 6_878,
    trafficCreditLimitUnits: 10_240,
    trafficFee: ratio(1, 10),
    premiumPoolAccessFee: ratio(3, 10),
    // Unlike the premium pool's, so that neither passes for the other.
    contentAccessFee: ratio(2, 10),
    trafficPriceUsd: ratioFromDecimal('0.01'),
    initialTrafficRate: ratio(100),
    priorWeightHours: 1_000,
    settlementIntervalMs: 1_000,
    validatorKeys: VALIDATOR_KEYS.slice(0, 1),
    pinnedXacPerXat: ratio(1),
    pinnedXacPerXas: ratio(1),
    swapFee: ratio(3, 1_000),
    rateWindowMs: 600_000,
    initialAceBytePriceUsd: ratio(1),
    feedAccount: null,
    treasury: null,
    ...overrides,
  };
}

/** The same with a shard for each of {@link VALIDATORS}. */
export function shardedSettings(overrides: Partial<NetworkSettings> = {}): NetworkSettings {
  return testSettings({ validatorKeys: VALIDATOR_KEYS, ...overrides });
}

/** The first of these accounts, or of any, that is at home there. */
export function addressHomedAt(
  shard: number,
  shardCount = VALIDATORS.length,
  candidates: Iterable<string> = addresses(),
): string {
  for (const address of candidates) if (homeShard(address, shardCount, sha256) === shard) return address;
  throw new Error(`None of them is at home on shard ${shard}`);
}

function* addresses(): Generator<string> {
  for (let n = 1; ; n++) yield testAddress(n);
}

/**
 * `[address, token, decimal amount, place]`, in services where it is left out (XAB: in main), and `[pool, token, decimal
 * amount]`.
 */
export function testGenesis(
  accounts: readonly (readonly [string, Token, string, Place?])[],
  pools: readonly (readonly [Pool, Token, string])[] = [['lockedPool', 'XAT', '1000000']],
): Genesis {
  return {
    accounts: accounts.map(([address, token, text, place = token === 'XAB' ? 'main' : 'services']) => ({
      address,
      place,
      token,
      amount: parseAmount(text),
    })),
    pools: pools.map(([pool, token, text]) => ({ pool, token, amount: parseAmount(text) })),
  };
}

/** The account whose private key is the number `n`, from 1. */
export function testAccount(n: number): Account {
  const signer = privateKeyToAccount(`0x${n.toString(16).padStart(64, '0')}`);
  return {
    address: signer.address.toLowerCase(),
    canSign: () => true,
    signTypedData: (typedData) => signer.signTypedData(typedData),
  };
}

/** An address of nobody: `n` in hex. Ascends with `n`. */
export function testAddress(n: number): string {
  return `0x${n.toString(16).padStart(40, '0')}`;
}

export const NOTHING_WATCHED: TrafficTotals = { videoUnits: 0n, watchMs: 0n };

export function entry(payer: string, payee: string, consumeUnits: number, repayUnits = 0): BatchEntry {
  return { payer, payee, repayUnits, consumeUnits };
}

/** The shard's next batch: entries are put in order; every field may be overridden. */
export async function nextBatch(
  chain: MainChain,
  entries: readonly BatchEntry[],
  overrides: Partial<Batch> = {},
): Promise<Batch> {
  const shard = overrides.shard ?? 0;
  const last = await chain.lastBatch(shard);
  return {
    networkId: chain.settings().networkId,
    shard,
    number: last.number + 1,
    previousHash: last.hash,
    createdAtMs: 1_700_000_000_000,
    watched: NOTHING_WATCHED,
    entries: entries.toSorted((a, b) => (a.payer + a.payee < b.payer + b.payee ? -1 : 1)),
    ...overrides,
  };
}

/** Signed by the batch's own shard, unless another validator is named. No check: for batches that are refused. */
export function sign(batch: Batch, validator = VALIDATORS[batch.shard]): SignedBatch {
  if (!validator) throw new Error(`No validator for shard ${batch.shard}`);
  return { batch, signature: validator.sign(encodeBatch(batch)) };
}

/** Makes, signs and applies the next batch of shard 0. */
export async function settle(
  chain: MainChain,
  entries: readonly BatchEntry[],
  overrides: Partial<Batch> = {},
): Promise<BatchResult> {
  const batch = await nextBatch(chain, entries, overrides);
  const { signature } = sealBatch(batch, VALIDATORS[batch.shard] as DeviceIdentity);
  return chain.applyBatch({ batch, signature });
}

/** Devices that tests link; the links of each account to them are part of a {@link snapshot}. */
export const DEVICES = ['ab', 'cd'].map((byte) => byte.repeat(32));
/** Batches of each shard whose results are part of a {@link snapshot}: the latest, and one that is not there yet. */
const SNAPSHOT_BATCHES = 3;

/** Everything the chain can be asked, to compare before and after. */
export async function snapshot(chain: MainChain) {
  const accounts = await chain.accounts();
  const shards = chain.settings().validatorKeys.map((_, shard) => shard);
  const lastBatches = await Promise.all(shards.map((shard) => chain.lastBatch(shard)));
  return {
    accounts,
    settings: chain.settings(),
    links: await Promise.all(
      accounts.flatMap(({ address }) => DEVICES.map((device) => chain.deviceLink(address, device))),
    ),
    results: await Promise.all(
      lastBatches.flatMap(({ number }, shard) =>
        Array.from({ length: SNAPSHOT_BATCHES }, (_, i) => number + 1 - i)
          .filter((each) => each >= 0)
          .map((each) => chain.batchResult(shard, each)),
      ),
    ),
    pools: await chain.pools(),
    supply: await chain.supply(),
    market: await chain.market(),
    head: await chain.head(),
    lastBatches,
  };
}

/** Sum of accounts and pools per token, and what it must be. */
export async function heldAndOwed(chain: MainChain, token: Token): Promise<{ held: bigint; owed: bigint }> {
  const inAccounts = (await chain.accounts()).reduce((sum, account) => sum + heldOf(account, token), 0n);
  const inPools = Object.values(await chain.pools()).reduce((sum, pool) => sum + pool[token], 0n);
  const { genesis, emitted, burned } = (await chain.supply())[token];
  return { held: inAccounts + inPools, owed: genesis + emitted - burned };
}

/** The settings and genesis that a chain's file began with. */
export function storedGenesis(path: string): GenesisRecord {
  const store = openChainStore(path, { snapshot: true });
  try {
    return readGenesis(store);
  } finally {
    store.db.close();
  }
}
