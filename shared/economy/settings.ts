/** Governed settings and pools of a network (docs/economy.md#settings-and-pools). A network profile carries them. */
import { isAddress } from '../address.ts';
import { isCount } from '../count.ts';
import { AceError } from '../errors.ts';
import type { Place } from './holdings.ts';
import type { Token, TokenAmount } from './money.ts';
import type { Ratio } from './ratio.ts';

export const POOLS = [
  'lockedPool',
  'unlockedPool',
  'trafficFeePool',
  'premiumFeePool',
  'contentAccessFeePool',
  'txFeePool',
  // Reserves of the exchange: XAC and the token it trades for.
  'exchangeXat',
  'exchangeXas',
  'exchangeXab',
] as const;
export type Pool = (typeof POOLS)[number];
/** Pools that only the fees of payments go to. */
export const FEE_POOLS = ['trafficFeePool', 'premiumFeePool', 'contentAccessFeePool', 'txFeePool'] as const;

const MAX_NETWORK_ID = 64;
/** EVM address, lower case. */
/** Ed25519, raw, hex. */
const PUBLIC_KEY = /^[0-9a-f]{64}$/;

export interface NetworkSettings {
  /** Names the network in everything that is signed. */
  readonly networkId: string;
  /** EIP-712 chain id of the network's operations. */
  readonly chainId: number;
  /** Most traffic units one account can owe. */
  readonly trafficCreditLimitUnits: number;
  /** traffic_user_payment_fee. */
  readonly trafficFee: Ratio;
  /** premium_pool_access_fee. */
  readonly premiumPoolAccessFee: Ratio;
  /** content_access_fee, for content outside a pool. */
  readonly contentAccessFee: Ratio;
  /** USD per GB. */
  readonly trafficPriceUsd: Ratio;
  /** GB per hour at genesis. */
  readonly initialTrafficRate: Ratio;
  /** Hours of viewing that the initial rate weighs. */
  readonly priorWeightHours: number;
  readonly settlementIntervalMs: number;
  /** Validator device keys (Ed25519, hex), one per shard: index = shard number. */
  readonly validatorKeys: readonly string[];
  /** XAC per XAT, pinned by the profile; `null`: the exchange's time-weighted rate. */
  readonly pinnedXacPerXat: Ratio | null;
  /** XAC per XAS, pinned by the profile; `null`: the exchange's time-weighted rate. */
  readonly pinnedXacPerXas: Ratio | null;
  /** What the exchange keeps of every amount sold. */
  readonly swapFee: Ratio;
  /** Time over which the exchange's rate is averaged. */
  readonly rateWindowMs: number;
  /** USD per XAB at genesis; the feed account says later ones. */
  readonly initialAceBytePriceUsd: Ratio;
  /** Account that reports aceBytePriceUSD; `null`: it stays. */
  readonly feedAccount: string | null;
  /** Account out of which the network pays rewards; `null`: it pays none. */
  readonly treasury: string | null;
}

/**
 * Refuses settings under which the rules could not hold.
 * @throws AceError `InvalidInput` naming the first field that cannot be
 */
export function checkSettings(s: NetworkSettings): void {
  const whole = (value: number, least: number) => isCount(value) && value >= least;
  const share = (value: Ratio) => value.num >= 0n && value.den > 0n && value.num <= value.den;
  const positive = (value: Ratio) => value.num > 0n && value.den > 0n;
  const account = (value: string | null) => value === null || isAddress(value);
  const holds: Readonly<Record<keyof NetworkSettings, boolean>> = {
    networkId: s.networkId.length >= 1 && s.networkId.length <= MAX_NETWORK_ID,
    chainId: whole(s.chainId, 0),
    trafficCreditLimitUnits: whole(s.trafficCreditLimitUnits, 0),
    trafficFee: share(s.trafficFee),
    premiumPoolAccessFee: share(s.premiumPoolAccessFee),
    contentAccessFee: share(s.contentAccessFee),
    trafficPriceUsd: positive(s.trafficPriceUsd),
    initialTrafficRate: positive(s.initialTrafficRate),
    priorWeightHours: whole(s.priorWeightHours, 1),
    settlementIntervalMs: whole(s.settlementIntervalMs, 1),
    validatorKeys:
      s.validatorKeys.length > 0 &&
      s.validatorKeys.every((key) => PUBLIC_KEY.test(key)) &&
      new Set(s.validatorKeys).size === s.validatorKeys.length,
    pinnedXacPerXat: s.pinnedXacPerXat === null || positive(s.pinnedXacPerXat),
    // 0: no payment is in XAS.
    pinnedXacPerXas:
      s.pinnedXacPerXas === null || (s.pinnedXacPerXas.num >= 0n && s.pinnedXacPerXas.den > 0n),
    swapFee: share(s.swapFee) && s.swapFee.num < s.swapFee.den,
    rateWindowMs: whole(s.rateWindowMs, 1),
    initialAceBytePriceUsd: positive(s.initialAceBytePriceUsd),
    feedAccount: account(s.feedAccount),
    treasury: account(s.treasury),
  };
  const wrong = Object.entries(holds).find(([, good]) => !good);
  if (wrong) throw new AceError('InvalidInput', `The network's settings cannot have this ${wrong[0]}`);
}

/** Tokens that exist before the first operation. */
export interface Genesis {
  readonly accounts: readonly {
    readonly address: string;
    /** Where of the account it lies. */
    readonly place: Place;
    readonly token: Token;
    readonly amount: TokenAmount;
  }[];
  readonly pools: readonly { readonly pool: Pool; readonly token: Token; readonly amount: TokenAmount }[];
}
