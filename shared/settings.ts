/** Governed settings and pools of a network (ECONOMY.md, "Settings and pools"). A network profile carries them. */
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

/** Tokens that exist before the first operation. */
export interface Genesis {
  readonly accounts: readonly {
    readonly address: string;
    readonly token: Token;
    readonly amount: TokenAmount;
  }[];
  readonly pools: readonly { readonly pool: Pool; readonly token: Token; readonly amount: TokenAmount }[];
}
