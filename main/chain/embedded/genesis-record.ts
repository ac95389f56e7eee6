/**
 * The record at height 0 of a chain's log: the network's settings and genesis. With it a chain's file explains itself;
 * anyone who has the file can read and prove it, without keys. Canonical: one pair has exactly one encoding.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { ADDRESS } from '../../../shared/address.ts';
import { sameBytes } from '../../../shared/bytes.ts';
import { isCount } from '../../../shared/count.ts';
import { PLACES, type Place } from '../../../shared/economy/holdings.ts';
import { amount, TOKENS, type Token, type TokenAmount } from '../../../shared/economy/money.ts';
import { formatRatio, parseRatio, type Ratio } from '../../../shared/economy/ratio.ts';
import { type Genesis, type NetworkSettings, POOLS, type Pool } from '../../../shared/economy/settings.ts';
import { AceError } from '../../../shared/errors.ts';

export interface GenesisRecord {
  readonly settings: NetworkSettings;
  readonly genesis: Genesis;
}

/** Counts with what changes how operations and batches apply: 1 to 3 were of chains whose accounts had one place. */
const FORMAT = 'ace-genesis-4';
const KEY = /^[0-9a-f]{64}$/;

/** Reads one setting; what it cannot be is thrown. */
type SettingReader<T> = (value: unknown) => T;
type SettingReaders = { readonly [Name in keyof NetworkSettings]: SettingReader<NetworkSettings[Name]> };

/** Every setting there is, so that a new one cannot be forgotten here. */
const SETTINGS: SettingReaders = {
  networkId: text,
  chainId: count,
  trafficCreditLimitUnits: count,
  trafficFee: parseRatio,
  premiumPoolAccessFee: parseRatio,
  contentAccessFee: parseRatio,
  trafficPriceUsd: parseRatio,
  initialTrafficRate: parseRatio,
  priorWeightHours: count,
  settlementIntervalMs: count,
  validatorKeys: (value) => list(value).map((key) => matching(KEY, key)),
  pinnedXacPerXat: orNull(parseRatio),
  pinnedXacPerXas: orNull(parseRatio),
  swapFee: parseRatio,
  rateWindowMs: count,
  initialAceBytePriceUsd: parseRatio,
  feedAccount: orNull((value) => matching(ADDRESS, value)),
  treasury: orNull((value) => matching(ADDRESS, value)),
};

/** Every field of the settings by name, ratios as exact text; genesis in the order given, amounts in base units. */
export function encodeGenesis({ settings, genesis }: GenesisRecord): Uint8Array {
  return dagCbor.encode([
    FORMAT,
    Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, encodeSetting(value)])),
    genesis.accounts.map(({ address, place, token, amount }) => [address, place, token, amount]),
    genesis.pools.map(({ pool, token, amount }) => [pool, token, amount]),
  ]);
}

/**
 * Reads the bytes of {@link encodeGenesis}: the exact fields, each in its range, in the one canonical encoding.
 * @throws AceError `DataDirMismatch` for anything else, such as the record of a version with other settings
 */
export function decodeGenesis(bytes: Uint8Array): GenesisRecord {
  try {
    const [format, named, accounts, pools] = tuple(dagCbor.decode(bytes), 4);
    if (format !== FORMAT) throw malformed();
    const settings = decodeSettings(named);
    const genesis: Genesis = {
      accounts: list(accounts).map((each) => {
        const [address, place, token, sum] = tuple(each, 4);
        return {
          address: matching(ADDRESS, address),
          place: placeOf(place),
          token: tokenOf(token),
          amount: money(sum),
        };
      }),
      pools: list(pools).map((each) => {
        const [pool, token, sum] = tuple(each, 3);
        return { pool: poolOf(pool), token: tokenOf(token), amount: money(sum) };
      }),
    };
    const record = { settings, genesis };
    if (!sameBytes(encodeGenesis(record), bytes)) throw malformed();
    return record;
  } catch (cause) {
    throw malformed(cause);
  }
}

function encodeSetting(value: NetworkSettings[keyof NetworkSettings]): unknown {
  if (Array.isArray(value)) return [...value];
  return typeof value === 'object' && value !== null ? formatRatio(value as Ratio) : value;
}

function decodeSettings(value: unknown): NetworkSettings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  const named = value as Record<string, unknown>;
  const entries = Object.entries(SETTINGS).map(([name, read]): [string, unknown] => {
    if (!Object.hasOwn(named, name)) throw malformed();
    return [name, read(named[name])];
  });
  // An unknown name is noticed where the whole is encoded again.
  return Object.fromEntries(entries) as unknown as NetworkSettings;
}

function orNull<T>(read: SettingReader<T>): SettingReader<T | null> {
  return (value) => (value === null ? null : read(value));
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw malformed();
  return value;
}

function matching(pattern: RegExp, value: unknown): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed();
  return value;
}

function count(value: unknown): number {
  if (!isCount(value)) throw malformed();
  return value;
}

/** CBOR gives small integers back as numbers, large ones as bigints. */
function money(value: unknown): TokenAmount {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw malformed();
  return amount(BigInt(value as bigint | number));
}

function tokenOf(value: unknown): Token {
  if (!TOKENS.includes(value as Token)) throw malformed();
  return value as Token;
}

function placeOf(value: unknown): Place {
  if (!PLACES.includes(value as Place)) throw malformed();
  return value as Place;
}

function poolOf(value: unknown): Pool {
  if (!POOLS.includes(value as Pool)) throw malformed();
  return value as Pool;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw malformed();
  return value as unknown[];
}

function tuple(value: unknown, length: number): unknown[] {
  if (list(value).length !== length) throw malformed();
  return value as unknown[];
}

function malformed(cause?: unknown): AceError {
  return new AceError('DataDirMismatch', 'The chain does not begin with a genesis that this Ace Node knows', {
    reaction: 'stop',
    cause,
  });
}
