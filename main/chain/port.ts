/**
 * The main chain, as the rest of the node sees it: balances, credit used, pools, totals, and the two ways to change
 * them, a signed operation or a settlement batch. Implementations: `embedded/` (SQLite). An answer is durable before it
 * is given; a refused call changes nothing.
 *
 * Opening: a chain that began with other settings or another genesis is refused as `DataDirMismatch`, settings or genesis
 * that cannot be as `InvalidInput`. Reading: every method that answers from the store throws `StoreFailed` when that
 * cannot be read; what is asked for and is not there is an empty answer, no error.
 *
 * Time: whatever happens to the chain happens at the chain's time, in whole milliseconds since 1970. It follows the clock
 * that the chain was opened with, but every operation and batch has a later time than the one before it, also when the
 * clock stands still or goes back. A swap's deadline is compared with its own time and may be reached, not passed; rates
 * that are averaged over time are those of the time of the operation or batch that uses them, and `market` answers for
 * what would come next.
 */

import type { Balances, Token, TokenAmount } from '../../shared/economy/money.ts';
import type { Operation } from '../../shared/economy/operation.ts';
import type { Payment } from '../../shared/economy/payment.ts';
import type { ExchangeRates, TrafficTotals } from '../../shared/economy/price.ts';
import type { Ratio } from '../../shared/economy/ratio.ts';
import type { NetworkSettings, Pool } from '../../shared/economy/settings.ts';
import type { Batch, BatchResult } from '../../shared/settlement/batch.ts';

export interface ChainAccount {
  /** EVM address, lower case hex. */
  readonly address: string;
  readonly balances: Balances;
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
  /** What it did to the balances of accounts and pools. Emitted and burned tokens show on one side only. */
  readonly changes: readonly BalanceChange[];
}

export interface BalanceChange {
  /** Address of an account, or name of a pool. */
  readonly holder: string;
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
  /** Base units that the account gained per token; negative where lost. */
  readonly deltas: Readonly<Record<Token, bigint>>;
  /** What an operation that pays for a service moved between its two parties; `null` of others. */
  readonly payment: Payment | null;
}

export interface SignedBatch {
  readonly batch: Batch;
  /** Ed25519 signature by the shard's validator key over `encodeBatch(batch)`. */
  readonly signature: Uint8Array;
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

export interface TokenSupply {
  readonly genesis: TokenAmount;
  readonly emitted: TokenAmount;
  readonly burned: TokenAmount;
}

/** Accounts that operations and batches have named. */
export interface AccountChanges {
  /** To ask with the next time. */
  readonly cursor: string;
  /** Each once; `null` when it is not known any more what changed since: anything may have. */
  readonly addresses: readonly string[] | null;
}

export interface MainChain {
  settings(): NetworkSettings;
  /** An account nobody has paid yet has empty balances; asking for it is no error. */
  account(address: string): Promise<ChainAccount>;
  accounts(): Promise<ChainAccount[]>;
  /** What changed since the answer that gave `cursor`; `null` asks for the first one. */
  changes(cursor: string | null): Promise<AccountChanges>;
  market(): Promise<Market>;
  /** Balance of every pool per token. */
  pools(): Promise<Readonly<Record<Pool, Balances>>>;
  supply(): Promise<Readonly<Record<Token, TokenSupply>>>;
  /** Whether an account has linked or unlinked a device by an operation; `null` when it was never named. */
  deviceLink(account: string, device: string): Promise<'linked' | 'unlinked' | null>;
  /** The devices that an account's operations have named, `MAX_DEVICES_TOLD` at most. */
  devices(account: string): Promise<readonly AccountDevice[]>;
  /**
   * What genesis and operations did to an account, in order of height, from `fromHeight` on; batches are not among them.
   * Perhaps fewer than `limit`; none when there are no more.
   */
  accountOperations(address: string, fromHeight: number, limit: number): Promise<AccountOperation[]>;
  /** Height of the log and hash of its last record. */
  head(): Promise<{ readonly height: number; readonly hash: Uint8Array }>;
  /**
   * @throws AceError `InvalidSignature`, `WrongNonce`, `InsufficientFunds`, `InvalidAmount`, `InvalidInput`,
   * `NotAllowed` (a feed or a reward by another account), `NoMarket`, `SlippageExceeded` (a swap or a mint past its
   * bound), `DeadlinePassed`, `InvariantViolated`, `StoreFailed`
   */
  submit(operation: SignedOperation): Promise<OperationReceipt>;
  /**
   * Applies a batch whole or not at all. The same batch again returns the stored result and changes nothing.
   * @throws AceError `BatchMalformed`, `BatchWrongShard`, `BatchWrongSigner`, `BatchOutOfOrder`,
   * `BatchWrongPreviousHash`, `BatchConflict` (same number, other content), `WrongNetwork`, `InvariantViolated`,
   * `StoreFailed`
   */
  applyBatch(batch: SignedBatch): Promise<BatchResult>;
  /** Last applied batch of a shard: where the hash chain continues. */
  lastBatch(shard: number): Promise<{ readonly number: number; readonly hash: Uint8Array }>;
  /** Result of an applied batch, `null` when there is none of that number. */
  batchResult(shard: number, number: number): Promise<BatchResult | null>;
  close(): Promise<void>;
}
