/**
 * The bytes of a batch's result: what the main chain stores with the batch and the parties of an entry can read.
 * Canonical: one result has exactly one encoding.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { isCount } from '../count.ts';
import { amount } from '../economy/money.ts';
import type { Payment } from '../economy/payment.ts';
import { formatRatio, parseRatio } from '../economy/ratio.ts';
import { AceError } from '../errors.ts';
import type { BatchResult, EntryResult } from './batch.ts';

const FORMAT = 'ace-batch-result-1';
const HASH_BYTES = 32;

/** Units and base units as integers, the price as exact text: nothing is rounded. For a result that a chain gave. */
export function encodeBatchResult(result: BatchResult): Uint8Array {
  return dagCbor.encode([
    FORMAT,
    result.shard,
    result.number,
    result.hash,
    formatRatio(result.unitPriceXac),
    result.entries.map((entry) => [
      entry.payer,
      entry.payee,
      entry.repaidUnits,
      entry.paidUnits,
      entry.creditUnits,
      entry.refusedUnits,
      entry.repayment && plainPayment(entry.repayment),
      entry.payment && plainPayment(entry.payment),
    ]),
  ]);
}

/**
 * Reads the bytes of {@link encodeBatchResult}. What the figures say is not checked against each other.
 * @throws AceError `MessageMalformed` for any other shape, and for an amount or a number of units out of range
 */
export function decodeBatchResult(bytes: Uint8Array): BatchResult {
  try {
    const value = tuple(dagCbor.decode(bytes), 6);
    const [format, shard, number, hash, unitPrice, entries] = value;
    if (format !== FORMAT || !(hash instanceof Uint8Array) || hash.length !== HASH_BYTES) throw malformed();
    if (!Array.isArray(entries)) throw malformed();
    return {
      shard: count(shard),
      number: count(number),
      hash,
      unitPriceXac: parseRatio(unitPrice),
      entries: entries.map(decodeEntry),
    };
  } catch (cause) {
    throw malformed(cause);
  }
}

function decodeEntry(value: unknown): EntryResult {
  const [payer, payee, repaidUnits, paidUnits, creditUnits, refusedUnits, repayment, payment] = tuple(
    value,
    8,
  );
  if (typeof payer !== 'string' || typeof payee !== 'string') throw malformed();
  return {
    payer,
    payee,
    repaidUnits: count(repaidUnits),
    paidUnits: count(paidUnits),
    creditUnits: count(creditUnits),
    refusedUnits: count(refusedUnits),
    repayment: repayment === null ? null : paymentFrom(repayment),
    payment: payment === null ? null : paymentFrom(payment),
  };
}

/** What a payment moved, as a list of base units for dag-cbor. */
export function plainPayment(payment: Payment): (bigint | number)[] {
  return [
    integer(payment.xacFromPayer),
    integer(payment.xatBurned),
    integer(payment.xacEmitted),
    integer(payment.xasFromPayer),
    integer(payment.xatUnlocked),
    integer(payment.feeXac),
    integer(payment.feeXas),
    integer(payment.payeeXac),
    integer(payment.payeeXas),
  ];
}

/** The same bytes in CBOR, written faster for a number than for a bigint. */
function integer(value: bigint): bigint | number {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Reads {@link plainPayment}. @throws AceError `MessageMalformed`, `InvalidAmount` */
export function paymentFrom(value: unknown): Payment {
  const [xacFromPayer, xatBurned, xacEmitted, xasFromPayer, xatUnlocked, feeXac, feeXas, payeeXac, payeeXas] =
    tuple(value, 9);
  return {
    xacFromPayer: money(xacFromPayer),
    xatBurned: money(xatBurned),
    xacEmitted: money(xacEmitted),
    xasFromPayer: money(xasFromPayer),
    xatUnlocked: money(xatUnlocked),
    feeXac: money(feeXac),
    feeXas: money(feeXas),
    payeeXac: money(payeeXac),
    payeeXas: money(payeeXas),
  };
}

function tuple(value: unknown, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw malformed();
  return value as unknown[];
}

function count(value: unknown): number {
  if (!isCount(value)) throw malformed();
  return value;
}

/** CBOR gives small integers back as numbers, large ones as bigints. */
function money(value: unknown) {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw malformed();
  return amount(BigInt(value as bigint | number));
}

function malformed(cause?: unknown): AceError {
  return new AceError(
    'MessageMalformed',
    'Not the bytes of a batch result',
    cause === undefined ? {} : { cause },
  );
}
