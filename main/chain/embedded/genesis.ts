/**
 * The start of an embedded chain: what exists before the first operation, and the record at height 0 that binds the
 * network's settings to it. A file opens again only with the same settings and the same genesis.
 */

import { isAddress } from '../../../shared/address.ts';
import { sameBytes } from '../../../shared/bytes.ts';
import type { TokenSupply } from '../../../shared/chain.ts';
import { tokensOf } from '../../../shared/economy/holdings.ts';
import {
  MAX_AMOUNT,
  NO_BALANCES,
  TOKENS,
  type Token,
  type TokenAmount,
  ZERO,
} from '../../../shared/economy/money.ts';
import { genesisTotals } from '../../../shared/economy/price.ts';
import {
  checkSettings,
  type Genesis,
  type NetworkSettings,
  POOLS,
} from '../../../shared/economy/settings.ts';
import { AceError, invariant } from '../../../shared/errors.ts';
import { emptyPools } from '../../db/chain/pools.ts';
import type { ChainStore } from '../../db/chain/store.ts';
import { transaction } from '../../db/open.ts';
import { openMarkets } from './exchange.ts';
import { encodeGenesis, type GenesisRecord } from './genesis-record.ts';
import { appendLog } from './log.ts';
import { hourOf } from './traffic-totals.ts';

/**
 * Writes genesis into a new file, in one transaction; compares it with what an old file holds.
 * @throws AceError `DataDirMismatch` (other settings or genesis), `InvalidInput` (settings or genesis that cannot be)
 */
export function ensureGenesis(store: ChainStore, record: GenesisRecord, nowMs: () => number): void {
  checkSettings(record.settings);
  transaction(store.db, () => {
    if (store.log.head()) return checkGenesis(store, record.settings, record.genesis);
    writeGenesis(store, record, nowMs());
  });
}

/** @throws AceError `DataDirMismatch` when the file began with other settings or another genesis, or never began */
export function checkGenesis(store: ChainStore, settings: NetworkSettings, genesis: Genesis): void {
  const stored = store.log.at(0);
  if (stored && sameBytes(stored.bytes, encodeGenesis({ settings, genesis }))) return;
  throw new AceError(
    'DataDirMismatch',
    `This data directory holds a chain with other settings or another genesis than "${settings.networkId}" has now, as one of another version does: choose another --data-dir`,
    { reaction: 'stop' },
  );
}

/** Rule 1 over the whole file: accounts and pools hold genesis + emitted − burned of every token. */
export function checkSupply(store: ChainStore): void {
  const supply = store.supply.all();
  const held = store.supply.held();
  for (const token of TOKENS) {
    const { genesis, emitted, burned } = supply[token];
    invariant(held[token] === genesis + emitted - burned, `sum of ${token} = genesis + emitted − burned`);
  }
}

type Sums = Record<Token, TokenAmount>;

function writeGenesis(store: ChainStore, record: GenesisRecord, nowMs: number): void {
  const { settings, genesis } = record;
  const accounts = new Map<string, { main: Sums; services: Sums }>();
  const pools = emptyPools();
  const supply = {} as Record<Token, TokenSupply>;
  const bad = (why: string) => new AceError('InvalidInput', `Genesis: ${why}`);

  for (const { address, place, token, amount } of genesis.accounts) {
    if (!isAddress(address)) throw bad(`"${address}" is not an address in lower case`);
    if (!tokensOf(place).includes(token) || amount < 0n) throw bad(`not an amount of ${token} in ${place}`);
    const account = accounts.get(address) ?? { main: { ...NO_BALANCES }, services: { ...NO_BALANCES } };
    account[place][token] = (account[place][token] + amount) as TokenAmount;
    accounts.set(address, account);
  }
  for (const { pool, token, amount } of genesis.pools) {
    if (!POOLS.includes(pool)) throw bad(`"${pool}" is not a pool`);
    if (!TOKENS.includes(token) || amount < 0n) throw bad(`not an amount of ${token}`);
    pools[pool][token] = (pools[pool][token] + amount) as TokenAmount;
  }
  for (const token of TOKENS) {
    const places = [...accounts.values()].flatMap(({ main, services }) => [main, services]);
    const held = [...places, ...Object.values(pools)];
    const sum = held.reduce((total, balances) => total + balances[token], 0n);
    if (sum > MAX_AMOUNT) throw bad(`more ${token} than can exist`);
    supply[token] = { genesis: sum as TokenAmount, emitted: ZERO, burned: ZERO };
  }

  // Without a rate traffic would have no price.
  if (
    settings.pinnedXacPerXat === null &&
    (pools.exchangeXat.XAC === ZERO || pools.exchangeXat.XAT === ZERO)
  ) {
    throw bad('XAC per XAT is neither pinned nor has the exchange reserves of both');
  }

  for (const [address, held] of accounts)
    store.accounts.put({ address, ...held, nonce: 0, creditUsedUnits: 0 });
  store.pools.put(pools);
  store.supply.put(supply);
  const totals = genesisTotals(settings.initialTrafficRate, settings.priorWeightHours);
  store.totals.put(totals);
  store.rateHours.begin(hourOf(nowMs), totals);
  store.feed.put(settings.initialAceBytePriceUsd);
  openMarkets(store, nowMs);
  const height = appendLog(store.log, 'genesis', encodeGenesis(record), nowMs);
  for (const [address, held] of accounts) store.accountOperations.insert(address, height, held, null);
}
