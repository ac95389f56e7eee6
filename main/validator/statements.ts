/** What an account is told of the batches that named it: its own entries, with prices, in order. */

import type { LRUCache } from 'lru-cache';
import { formatRatio } from '../../shared/economy/ratio.ts';
import { invariant } from '../../shared/errors.ts';
import type { BatchResult } from '../../shared/settlement/batch.ts';
import { decodeBatchResult, plainPayment } from '../../shared/settlement/batch-result.ts';
import { CHANNELS_TOLD, encodeStatement, sumsOf } from '../../shared/settlement/statement.ts';
import { intact } from '../db/store-error.ts';
import type { StatementRow } from '../db/validator/batches.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { STATEMENT_PAGE } from '../p2p/protocols/shard/constants.ts';
import type { SettlementMessage } from '../p2p/protocols/shard/messages.ts';
import type { DeviceIdentity } from '../wallet/device.ts';

export interface StatementContext {
  readonly store: ValidatorStore;
  readonly networkId: string;
  readonly shard: number;
  readonly key: Pick<DeviceIdentity, 'sign'>;
  /** Rows that were told before, by {@link rowName}: none of them ever changes. */
  readonly told?: LRUCache<string, SettlementMessage>;
}

/** Each is signed, so that an account that gets two histories can prove it. */
export function statementRows(
  context: StatementContext,
  account: string,
  afterSeq: number,
): SettlementMessage[] {
  const { store, told } = context;
  const results = new Map<number, { result: BatchResult; atMs: number }>();
  return store.batches.statements(account, afterSeq, STATEMENT_PAGE).map((row) => {
    const name = rowName(account, row.seq);
    const known = told?.get(name);
    if (known) return known;
    const batch = results.get(row.batchNumber) ?? load(store, row.batchNumber);
    results.set(row.batchNumber, batch);
    const made = rowOf(context, account, row, batch);
    told?.set(name, made);
    return made;
  });
}

function rowName(account: string, seq: number): string {
  return `${account} ${seq}`;
}

function rowOf(
  { store, networkId, shard, key }: StatementContext,
  account: string,
  row: StatementRow,
  batch: { readonly result: BatchResult; readonly atMs: number },
): SettlementMessage {
  const entry = batch.result.entries[row.entryIndex];
  invariant(entry !== undefined, 'a statement points to an entry of its batch');
  const { repayment, payment } = entry;
  const channels = store.batches.channels(row.batchNumber, entry.payer, entry.payee, CHANNELS_TOLD);
  const settled = {
    seq: row.seq,
    shard,
    batchNumber: row.batchNumber,
    batchHash: batch.result.hash,
    atMs: batch.atMs,
    direction: row.direction,
    counterparty: row.direction === 'paid' ? entry.payee : entry.payer,
    paidUnits: entry.paidUnits,
    creditUnits: entry.creditUnits,
    refusedUnits: entry.refusedUnits,
    repaidUnits: entry.repaidUnits,
    ...sumsOf(entry),
  };
  const price = batch.result.unitPriceXac;
  const detail = { repayment, payment, channels };
  const record = encodeStatement({ ...settled, networkId, account, price, detail });
  return {
    ...settled,
    price: formatRatio(price),
    repayment: repayment && plainPayment(repayment),
    payment: payment && plainPayment(payment),
    channels,
    signature: key.sign(record),
  };
}

function load(store: ValidatorStore, number: number): { result: BatchResult; atMs: number } {
  const row = store.batches.get(number);
  invariant(row?.result != null, 'a statement is of a batch that the main chain answered');
  const { result, createdAtMs } = row;
  return { result: intact(() => decodeBatchResult(result), 'validator.db'), atMs: createdAtMs };
}
