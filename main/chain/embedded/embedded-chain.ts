/**
 * The main chain of a devnet: one SQLite file in the validator's process.
 *
 * Owns the balances, the credit used, the pools and the totals. An operation or a batch is verified whole, then applied
 * in one transaction together with its log record; only then it is answered. What fails leaves no trace.
 */

import type { KeyObject } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import { sameBytes } from '../../../shared/bytes.ts';
import {
  type AccountOperation,
  type ChainAccount,
  MAX_DEVICES_TOLD,
  type OperationReceipt,
  type SignedBatch,
  type SignedOperation,
} from '../../../shared/chain.ts';
import { NO_HOLDINGS } from '../../../shared/economy/holdings.ts';
import { checkOperation, encodeSignedOperation } from '../../../shared/economy/operation.ts';
import type { Payment } from '../../../shared/economy/payment.ts';
import { unitPriceXac } from '../../../shared/economy/price.ts';
import type { Genesis, NetworkSettings } from '../../../shared/economy/settings.ts';
import { AceError } from '../../../shared/errors.ts';
import { fromHex } from '../../../shared/hex.ts';
import { homeShard } from '../../../shared/home-shard.ts';
import {
  type Batch,
  type BatchResult,
  checkBatch,
  encodeBatch,
  FIRST_PREVIOUS_HASH,
} from '../../../shared/settlement/batch.ts';
import {
  decodeBatchResult,
  encodeBatchResult,
  paymentFrom,
  plainPayment,
} from '../../../shared/settlement/batch-result.ts';
import { type ChainStore, openChainStore } from '../../db/chain/store.ts';
import { transaction, withStoreErrors } from '../../db/open.ts';
import { sha256 } from '../../util/sha256.ts';
import { devicePublicKey, isSignedBy } from '../../wallet/device.ts';
import { operationTypedData, typedDataHash, verifyTypedData } from '../../wallet/typed-data.ts';
import { hashBatch } from '../batch-signature.ts';
import type { MainChain } from '../port.ts';
import { applyEntries } from './apply-entries.ts';
import { ChangeLog } from './change-log.ts';
import { checkFigures } from './damage.ts';
import { ratesAt } from './exchange.ts';
import { checkGenesis, ensureGenesis } from './genesis.ts';
import { Ledger } from './ledger.ts';
import { appendLog, nextTimeMs } from './log.ts';
import { applyOperation } from './operation.ts';
import { countWatched } from './traffic-totals.ts';

export interface EmbeddedChainOptions {
  /** The chain's SQLite file; made when it is missing. */
  readonly path: string;
  /** Must be what the file was made with. */
  readonly settings: NetworkSettings;
  readonly genesis: Genesis;
  /** The clock of the log. */
  readonly nowMs: () => number;
}

/**
 * @throws AceError `DataDirMismatch`, `InvalidInput` (settings or genesis that cannot be), `ChainDiverged` (the file's
 * figures cannot be), and what `openDatabase` throws.
 */
export function openEmbeddedChain(options: EmbeddedChainOptions): EmbeddedChain {
  const { path, settings, genesis, nowMs } = options;
  const validatorKeys = settings.validatorKeys.map((hex) => devicePublicKey(fromHex(hex)));
  const store = openChainStore(path);
  try {
    ensureGenesis(store, { settings, genesis }, nowMs);
    checkFigures(store, settings, path);
    return new EmbeddedChain(store, settings, validatorKeys, nowMs);
  } catch (error) {
    store.db.close();
    throw error;
  }
}

/**
 * One unchanging picture of a chain that another process may be running: for reading only.
 * @throws AceError `DataDirMismatch`, and what `openDatabase` throws
 */
export function openChainSnapshot({ path, settings, genesis, nowMs }: EmbeddedChainOptions): MainChain {
  const store = openChainStore(path, { snapshot: true });
  try {
    withStoreErrors(() => checkGenesis(store, settings, genesis), path);
    return new EmbeddedChain(store, settings, [], nowMs);
  } catch (error) {
    store.db.close();
    throw error;
  }
}

export class EmbeddedChain implements MainChain {
  readonly #store: ChainStore;
  readonly #settings: NetworkSettings;
  /** Index = shard number. */
  readonly #validatorKeys: readonly KeyObject[];
  readonly #nowMs: () => number;
  readonly #changes = new ChangeLog();

  constructor(
    store: ChainStore,
    settings: NetworkSettings,
    validatorKeys: readonly KeyObject[],
    nowMs: () => number,
  ) {
    this.#store = store;
    this.#settings = settings;
    this.#validatorKeys = validatorKeys;
    this.#nowMs = nowMs;
  }

  settings() {
    return this.#settings;
  }

  async account(address: string): Promise<ChainAccount> {
    const key = address.toLowerCase();
    const account = withStoreErrors(() => this.#store.accounts.get(key));
    return account ?? { address: key, ...NO_HOLDINGS, nonce: 0, creditUsedUnits: 0 };
  }

  async accounts() {
    return withStoreErrors(() => this.#store.accounts.all());
  }

  async changes(cursor: string | null) {
    return this.#changes.since(cursor);
  }

  async market() {
    return withStoreErrors(() => ({
      totals: this.#store.totals.get(),
      rates: ratesAt(this.#store, this.#settings, this.#timeMs()),
      aceBytePriceUsd: this.#store.feed.get(),
    }));
  }

  async pools() {
    return withStoreErrors(() => this.#store.pools.all());
  }

  async supply() {
    return withStoreErrors(() => this.#store.supply.all());
  }

  async deviceLink(account: string, device: string) {
    const linked = withStoreErrors(() => this.#store.devices.isLinked(account.toLowerCase(), device));
    if (linked === undefined) return null;
    return linked ? 'linked' : 'unlinked';
  }

  async devices(account: string) {
    return withStoreErrors(() => this.#store.devices.of(account.toLowerCase(), MAX_DEVICES_TOLD));
  }

  async accountOperations(address: string, fromHeight: number, limit: number): Promise<AccountOperation[]> {
    const rows = withStoreErrors(() =>
      this.#store.accountOperations.from(address.toLowerCase(), fromHeight, limit),
    );
    return rows.map(({ bytes, payment, ...row }) => ({
      ...row,
      operation: row.height === 0 ? null : new Uint8Array(bytes),
      payment: payment && paymentFrom(dagCbor.decode(payment)),
    }));
  }

  async access(account: string, contentId: string, seller: string) {
    const bought = withStoreErrors(() =>
      this.#store.access.get(account.toLowerCase(), contentId, seller.toLowerCase()),
    );
    return bought ?? null;
  }

  async head() {
    const head = withStoreErrors(() => this.#store.log.head());
    if (!head) throw new AceError('StoreFailed', 'The chain has no genesis record', { reaction: 'stop' });
    return { height: head.height, hash: new Uint8Array(head.hash) };
  }

  async submit(signed: SignedOperation): Promise<OperationReceipt> {
    // A copy: what was verified is what is applied, whatever the caller does meanwhile.
    const operation = { ...signed.operation };
    const { signature } = signed;
    checkOperation(operation);
    const typedData = operationTypedData(this.#settings, operation);
    await verifyTypedData(typedData, signature, operation.from);
    const bytes = encodeSignedOperation(operation, fromHex(signature.slice(2)));
    const done = transaction(this.#store.db, () => {
      const [ledger, atMs] = [this.#ledger(), this.#timeMs()];
      const context = { store: this.#store, ledger, settings: this.#settings, atMs };
      const payment = applyOperation(context, operation);
      ledger.save('operation');
      const height = appendLog(this.#store.log, operation.kind, bytes, atMs);
      this.#noteForAccounts(height, ledger, payment);
      return { height, changes: ledger.changes() };
    });
    this.#changes.note([operation.from, ...done.changes.map(({ holder }) => holder)]);
    return { ...done, hash: typedDataHash(typedData) };
  }

  async applyBatch({ batch, signature }: SignedBatch): Promise<BatchResult> {
    const bytes = this.#verifyBatch(batch, signature);
    const hash = hashBatch(bytes);
    const result = transaction(this.#store.db, () => {
      const last = this.#lastBatch(batch.shard);
      if (batch.number <= last.number) return this.#replay(batch, hash);
      if (batch.number !== last.number + 1) {
        throw new AceError(
          'BatchOutOfOrder',
          `Batch ${batch.number} of shard ${batch.shard} comes after ${last.number}`,
        );
      }
      if (!sameBytes(batch.previousHash, last.hash)) {
        throw new AceError(
          'BatchWrongPreviousHash',
          `Batch ${batch.number} does not name the batch before it`,
        );
      }
      return this.#apply(batch, bytes, hash, signature);
    });
    this.#changes.note(batch.entries.flatMap(({ payer, payee }) => [payer, payee]));
    return result;
  }

  async lastBatch(shard: number) {
    return withStoreErrors(() => this.#lastBatch(shard));
  }

  async batchResult(shard: number, number: number) {
    const stored = withStoreErrors(() => this.#store.batches.get(shard, number));
    return stored ? decodeBatchResult(stored.result) : null;
  }

  async close() {
    withStoreErrors(() => this.#store.db.close());
  }

  /** Everything about a batch that needs no state. Returns its bytes. */
  #verifyBatch(batch: Batch, signature: Uint8Array): Uint8Array {
    checkBatch(batch);
    if (batch.networkId !== this.#settings.networkId) {
      throw new AceError(
        'WrongNetwork',
        `The batch is for "${batch.networkId}", this is "${this.#settings.networkId}"`,
      );
    }
    const validatorKey = this.#validatorKeys[batch.shard];
    if (!validatorKey) throw new AceError('BatchWrongShard', `This network has no shard ${batch.shard}`);
    const bytes = encodeBatch(batch);
    if (!isSignedBy(validatorKey, bytes, signature)) {
      throw new AceError(
        'BatchWrongSigner',
        `The batch is not signed by the validator of shard ${batch.shard}`,
      );
    }
    this.#checkHomes(batch);
    return bytes;
  }

  /** The credit limit is exact because only a payer's home shard ever has it pay. */
  #checkHomes({ shard, entries }: Batch): void {
    const shards = this.#validatorKeys.length;
    let last = '';
    for (const { payer } of entries) {
      if (payer === last) continue; // entries are in order of payer
      last = payer;
      const home = homeShard(payer, shards, sha256);
      if (home === shard) continue;
      throw new AceError('BatchWrongShard', `${payer} is at home on shard ${home}, not ${shard}`, {
        details: { shard: home },
      });
    }
  }

  /** Everyone whom an operation named can ask what it did, also who signed it and lost nothing by it. */
  #noteForAccounts(height: number, ledger: Ledger, payment: Payment | null): void {
    const bytes = payment && dagCbor.encode(plainPayment(payment));
    for (const { address, deltas } of ledger.accountDeltas()) {
      this.#store.accountOperations.insert(address, height, deltas, bytes);
    }
  }

  /** The stored answer for a batch that was applied before. */
  #replay(batch: Batch, hash: Uint8Array): BatchResult {
    const stored = this.#store.batches.get(batch.shard, batch.number);
    if (!stored || !sameBytes(stored.hash, hash)) {
      throw new AceError('BatchConflict', `Shard ${batch.shard} has another batch ${batch.number} already`);
    }
    return decodeBatchResult(stored.result);
  }

  #apply(batch: Batch, bytes: Uint8Array, hash: Uint8Array, signature: Uint8Array): BatchResult {
    const atMs = this.#timeMs();
    const rates = ratesAt(this.#store, this.#settings, atMs);
    const price = { rates, unitPriceXac: unitPriceXac(this.#store.totals.get(), rates) };
    const ledger = this.#ledger();
    const entries = applyEntries(ledger, batch.entries, price, this.#settings);
    ledger.save('batch');
    countWatched(this.#store, batch, entries, atMs);
    const result = {
      shard: batch.shard,
      number: batch.number,
      hash,
      unitPriceXac: price.unitPriceXac,
      entries,
    };
    const resultBytes = encodeBatchResult(result);
    this.#store.batches.insert({
      shard: batch.shard,
      number: batch.number,
      hash,
      bytes,
      signature,
      result: resultBytes,
    });
    const record = dagCbor.encode([batch.shard, batch.number, hash, hashBatch(resultBytes)]);
    appendLog(this.#store.log, 'batch', record, atMs);
    return result;
  }

  #lastBatch(shard: number) {
    const last = this.#store.batches.last(shard);
    return last
      ? { number: last.number, hash: new Uint8Array(last.hash) }
      : { number: 0, hash: FIRST_PREVIOUS_HASH };
  }

  /** The chain's time for the record to come. */
  #timeMs(): number {
    return nextTimeMs(this.#store.log, this.#nowMs());
  }

  #ledger(): Ledger {
    return new Ledger(this.#store, this.#settings.trafficCreditLimitUnits);
  }
}
