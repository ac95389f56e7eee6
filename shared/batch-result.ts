/**
 * The bytes of a batch's result: what the main chain stores with the batch and the parties of an entry can read.
 * Canonical: one result has exactly one encoding.
 */
import * as dagCbor from '@ipld/dag-cbor';
import type { BatchResult, EntryResult } from './batch.ts';
import { AceError } from './errors.ts';
import { amount } from './money.ts';
import type { Payment } from './payment.ts';
import { type Ratio, ratio } from './ratio.ts';

const FORMAT = 'ace-batch-result-1';
const HASH_BYTES = 32;

export function encodeBatchResult(result: BatchResult): Uint8Array {
  return dagCbor.encode([
    FORMAT,
    result.shard,
    result.number,
    result.hash,
    encodeRatio(result.unitPriceXac),
    result.entries.map((entry) => [
      entry.payer,
      entry.payee,
      entry.repaidUnits,
      entry.paidUnits,
      entry.creditUnits,
      entry.refusedUnits,
      encodePayment(entry.repayment),
      encodePayment(entry.payment),
    ]),
  ]);
}

/** @throws AceError `MessageMalformed` for anything but the bytes of {@link encodeBatchResult}. */
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
      unitPriceXac: decodeRatio(unitPrice),
      entries: entries.map(decodeEntry),
    };
  } catch (cause) {
    throw malformed(cause);
  }
}

/** An exact ratio as text, `num/den` in lowest terms: its integers may be larger than CBOR's. */
export function encodeRatio({ num, den }: Ratio): string {
  const reduced = ratio(num, den);
  return `${reduced.num}/${reduced.den}`;
}

/** @throws AceError `MessageMalformed` */
export function decodeRatio(value: unknown): Ratio {
  const match = typeof value === 'string' ? /^(\d+)\/(\d+)$/.exec(value) : null;
  if (!match?.[1] || !match[2] || match[2] === '0') throw malformed();
  const read = ratio(BigInt(match[1]), BigInt(match[2]));
  if (encodeRatio(read) !== value) throw malformed();
  return read;
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
    repayment: decodePayment(repayment),
    payment: decodePayment(payment),
  };
}

function encodePayment(payment: Payment | null): bigint[] | null {
  if (!payment) return null;
  return [
    payment.xacFromPayer,
    payment.xatBurned,
    payment.xacEmitted,
    payment.xasFromPayer,
    payment.xatUnlocked,
    payment.feeXac,
    payment.feeXas,
    payment.payeeXac,
    payment.payeeXas,
  ];
}

function decodePayment(value: unknown): Payment | null {
  if (value === null) return null;
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
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed();
  return value as number;
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
