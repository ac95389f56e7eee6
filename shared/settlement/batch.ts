/**
 * Settlement batches (docs/economy.md#settlement): what the second level tells the main chain, and what it answers.
 *
 * One entry per (payer, payee), in that order. Within a payer, repayments apply before new consumption, because funds
 * repay loans as soon as they are there. Batches of a shard form a hash chain; applying one is atomic and idempotent.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { isAddress } from '../address.ts';
import { sameBytes } from '../bytes.ts';
import { isCount } from '../count.ts';
import type { Payment } from '../economy/payment.ts';
import type { TrafficTotals } from '../economy/price.ts';
import type { Ratio } from '../economy/ratio.ts';
import { AceError } from '../errors.ts';

export interface BatchEntry {
  /** Account address, lower case. */
  readonly payer: string;
  readonly payee: string;
  /** Loan units that the payer's funds repay. */
  readonly repayUnits: number;
  /** Units consumed since the last batch. */
  readonly consumeUnits: number;
}

export interface Batch {
  readonly networkId: string;
  readonly shard: number;
  /** 1 for a shard's first batch. */
  readonly number: number;
  /** Hash of the shard's previous batch, 32 zero bytes for the first. */
  readonly previousHash: Uint8Array;
  readonly createdAtMs: number;
  /** Video traffic and watch time since the last batch, added to the network's totals after the entries are priced. */
  readonly watched: TrafficTotals;
  /** Sorted by (payer, payee), no pair twice. */
  readonly entries: readonly BatchEntry[];
}

export interface EntryResult {
  readonly payer: string;
  readonly payee: string;
  /** Loan units repaid. */
  readonly repaidUnits: number;
  /** Of the consumed units: paid from funds, taken on credit, refused. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  /** What the repaid and the paid units moved; `null` where nothing was paid. */
  readonly repayment: Payment | null;
  readonly payment: Payment | null;
}

export interface BatchResult {
  readonly shard: number;
  readonly number: number;
  readonly hash: Uint8Array;
  /** XAC base units per traffic unit, for every entry of the batch. */
  readonly unitPriceXac: Ratio;
  readonly entries: readonly EntryResult[];
}

export const FIRST_PREVIOUS_HASH: Uint8Array = new Uint8Array(32);
export const MAX_BATCH_ENTRIES = 100_000;
/** Most video units, and most milliseconds watched, that one batch can add. */
export const MAX_WATCHED = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The bytes that are hashed and signed. Canonical: one batch has exactly one encoding. For a batch that passes {@link
 * checkBatch}.
 */
export function encodeBatch(batch: Batch): Uint8Array {
  return dagCbor.encode([
    'ace-batch-1',
    batch.networkId,
    batch.shard,
    batch.number,
    batch.previousHash,
    batch.createdAtMs,
    batch.watched.videoUnits,
    batch.watched.watchMs,
    batch.entries.map((e) => [e.payer, e.payee, e.repayUnits, e.consumeUnits]),
  ]);
}

/**
 * Reads the bytes of {@link encodeBatch}: the exact shape, the rules of {@link checkBatch}, the one canonical encoding.
 * @throws AceError `BatchMalformed`
 */
export function decodeBatch(bytes: Uint8Array): Batch {
  const batch = batchFrom(decodeCbor(bytes));
  checkBatch(batch);
  if (!sameBytes(encodeBatch(batch), bytes))
    throw new AceError('BatchMalformed', 'Not the canonical bytes of a batch');
  return batch;
}

/**
 * Checks what the rules demand of a batch on its own (docs/economy.md#settlement): whole units, milliseconds and video units
 * in their ranges, one entry per (payer, payee), in order. A batch that passes can be encoded.
 * @throws AceError `BatchMalformed`
 */
export function checkBatch(batch: Batch): void {
  const bad = (why: string) =>
    new AceError('BatchMalformed', `Batch ${batch.number} of shard ${batch.shard}: ${why}`);
  if (typeof batch.networkId !== 'string') throw bad('no network');
  if (!isCount(batch.shard)) throw bad('not a shard number');
  if (!isCount(batch.number) || batch.number === 0) throw bad('not a batch number');
  if (batch.previousHash.length !== FIRST_PREVIOUS_HASH.length)
    throw bad('the previous hash is not 32 bytes');
  if (!isCount(batch.createdAtMs)) throw bad('not a time of creation');
  for (const total of [batch.watched.videoUnits, batch.watched.watchMs]) {
    if (total < 0n || total > MAX_WATCHED) throw bad('totals out of range');
  }
  if (batch.entries.length > MAX_BATCH_ENTRIES) throw bad(`more than ${MAX_BATCH_ENTRIES} entries`);
  let last = '';
  for (const entry of batch.entries) {
    if (!isAddress(entry.payer) || !isAddress(entry.payee)) throw bad('not an account address in lower case');
    const key = entry.payer + entry.payee;
    if (key <= last) throw bad('entries are not in order of payer and payee');
    last = key;
    if (entry.payer === entry.payee) throw bad(`${entry.payer} pays itself`);
    if (!isCount(entry.repayUnits)) throw bad(`not a number of units: ${entry.repayUnits}`);
    if (!isCount(entry.consumeUnits)) throw bad(`not a number of units: ${entry.consumeUnits}`);
    if (entry.repayUnits + entry.consumeUnits === 0) throw bad('an entry of nothing');
  }
}

function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return dagCbor.decode(bytes);
  } catch (cause) {
    throw new AceError('BatchMalformed', 'Not the bytes of a batch', { cause });
  }
}

/** The shape of a batch; what its numbers may be is for {@link checkBatch}. */
function batchFrom(value: unknown): Batch {
  const bad = () => new AceError('BatchMalformed', 'Not the bytes of a batch');
  if (!Array.isArray(value) || value.length !== 9 || value[0] !== 'ace-batch-1') throw bad();
  const [, networkId, shard, number, previousHash, createdAtMs, videoUnits, watchMs, entries] =
    value as unknown[];
  if (typeof networkId !== 'string' || typeof shard !== 'number' || typeof number !== 'number') throw bad();
  if (!(previousHash instanceof Uint8Array) || typeof createdAtMs !== 'number') throw bad();
  if (!isCount(videoUnits) || !isCount(watchMs) || !Array.isArray(entries)) throw bad();
  return {
    networkId,
    shard,
    number,
    previousHash,
    createdAtMs,
    watched: { videoUnits: BigInt(videoUnits), watchMs: BigInt(watchMs) },
    entries: entries.map((entry: unknown) => {
      if (!Array.isArray(entry) || entry.length !== 4) throw bad();
      const [payer, payee, repayUnits, consumeUnits] = entry as unknown[];
      if (typeof payer !== 'string' || typeof payee !== 'string') throw bad();
      if (typeof repayUnits !== 'number' || typeof consumeUnits !== 'number') throw bad();
      return { payer, payee, repayUnits, consumeUnits };
    }),
  };
}

/** A whole number from 0 to 2^53 − 1. */
