/**
 * The main chain, as the rest of the node sees it: what accounts have in main and services, credit used, pools, totals, and the two ways to change
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

import type {
  AccountDevice,
  AccountOperation,
  BoughtAccess,
  ChainAccount,
  Market,
  OperationReceipt,
  SignedBatch,
  SignedOperation,
  TokenSupply,
} from '../../shared/chain.ts';
import type { Balances, Token } from '../../shared/economy/money.ts';
import type { NetworkSettings, Pool } from '../../shared/economy/settings.ts';
import type { BatchResult } from '../../shared/settlement/batch.ts';

/** Accounts that operations and batches have named. */
export interface AccountChanges {
  /** To ask with the next time. */
  readonly cursor: string;
  /** Each once; `null` when it is not known any more what changed since: anything may have. */
  readonly addresses: readonly string[] | null;
}

export interface MainChain {
  settings(): NetworkSettings;
  /** An account that was never paid has nothing; asking for it is no error. */
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
  /** The access to a content that an account has bought from a seller, whether it still lasts or not; `null` for none. */
  access(account: string, contentId: string, seller: string): Promise<BoughtAccess | null>;
  /** Height of the log and hash of its last record. */
  head(): Promise<{ readonly height: number; readonly hash: Uint8Array }>;
  /**
   * @throws AceError `InvalidSignature`, `WrongNonce`, `InsufficientFunds`, `InvalidAmount`, `InvalidInput`,
   * `NotAllowed` (a feed or a reward by another account), `FundsReserved` (a withdrawal while loans are owed), `NoMarket`, `SlippageExceeded` (a swap or a mint past its
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
