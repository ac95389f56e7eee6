/** What the main chain says and takes: the types of the `MainChain` port, which every implementation shares. */
import type { HoldingDeltas, Holdings, Place } from './economy/holdings.ts';
import type { Token, TokenAmount } from './economy/money.ts';
import type { Operation } from './economy/operation.ts';
import type { Payment } from './economy/payment.ts';
import type { ExchangeRates, TrafficTotals } from './economy/price.ts';
import type { Ratio } from './economy/ratio.ts';
import type { Batch } from './settlement/batch.ts';

export interface ChainAccount extends Holdings {
  /** EVM address, lower case hex. */
  readonly address: string;
  /** Number of operations the account has signed so far; the next one carries this number. */
  readonly nonce: number;
  /** traffic_credit_used, in traffic units. Changed by settlement batches only. */
  readonly creditUsedUnits: number;
}

export interface SignedOperation {
  readonly operation: Operation;
  /** 65-byte EIP-712 signature, 0x-hex. */
  readonly signature: `0x${string}`;
}

export interface OperationReceipt {
  /** Position in the chain's log, from 1. */
  readonly height: number;
  /** EIP-712 hash of the operation, 0x-hex. */
  readonly hash: `0x${string}`;
  /** What it did to accounts and pools. Emitted and burned tokens show on one side only. */
  readonly changes: readonly HoldingChange[];
}

export interface HoldingChange {
  /** Address of an account, or name of a pool. */
  readonly holder: string;
  /** Of an account; `null` of a pool. */
  readonly place: Place | null;
  readonly token: Token;
  /** Base units gained; negative where lost. */
  readonly delta: bigint;
}

/** What an operation, or genesis, did to one account. */
export interface AccountOperation {
  /** Of the record in the chain's log; 0: genesis. */
  readonly height: number;
  /** The chain's time. */
  readonly atMs: number;
  /** Bytes of `encodeSignedOperation`; `null` of genesis. */
  readonly operation: Uint8Array | null;
  readonly deltas: HoldingDeltas;
  /** What an operation that pays for a service moved between its two parties; `null` of others. */
  readonly payment: Payment | null;
}

/** What prices are worked out with, as of the moment of asking. */
export interface Market {
  readonly totals: TrafficTotals;
  readonly rates: ExchangeRates;
  /** USD per XAB, as last reported. */
  readonly aceBytePriceUsd: Ratio;
}

/** More than an account ever needs; an answer stays small. */
export const MAX_DEVICES_TOLD = 100;

export interface AccountDevice {
  /** Ed25519 public key, 64 digits of lower case hex. */
  readonly device: string;
  /** Linked, or unlinked again. */
  readonly linked: boolean;
}

/** Access to a content that an account has bought (docs/economy.md#access). */
export interface BoughtAccess {
  readonly contentId: string;
  /** Address of who was paid. */
  readonly seller: string;
  /** Base units, before the fee. */
  readonly priceXac: TokenAmount;
  readonly premium: boolean;
  /** What one purchase lasts; 0: for ever. */
  readonly lastsMs: number;
  /** The chain's time of the first purchase on these terms without a gap. */
  readonly boughtAtMs: number;
  /** The chain's time; 0: for ever. */
  readonly untilMs: number;
}

export interface TokenSupply {
  readonly genesis: TokenAmount;
  readonly emitted: TokenAmount;
  readonly burned: TokenAmount;
}

export interface SignedBatch {
  readonly batch: Batch;
  /** Ed25519 signature by the shard's validator key over `encodeBatch(batch)`. */
  readonly signature: Uint8Array;
}
