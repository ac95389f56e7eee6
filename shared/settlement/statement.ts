/**
 * A shard's signed word to an account about one entry of a settlement batch. Two of them that no single history has are
 * a proof, which anyone can check with the key in the network's settings: the shard showed two histories.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { sameBytes } from '../bytes.ts';
import { isCount } from '../count.ts';
import type { Payment } from '../economy/payment.ts';
import { formatRatio, type Ratio } from '../economy/ratio.ts';
import { AceError, invariant } from '../errors.ts';
import { paymentFrom, plainPayment } from './batch-result.ts';

/** How the sums of a statement came about. */
export interface StatementDetail {
  /** What the repaid and the paid units moved; `null` where nothing was paid. */
  readonly repayment: Payment | null;
  readonly payment: Payment | null;
  /** Channels whose units the entry settled: those with most units, {@link CHANNELS_TOLD} at most. */
  readonly channels: readonly ChannelUnits[];
}

export interface ChannelUnits {
  /** 32 bytes. */
  readonly channelId: Uint8Array;
  readonly units: number;
}

/** More than a viewer and a provider have at once; with it, a proof of two statements stays below its limit. */
export const CHANNELS_TOLD = 16;

/** What one entry of a settlement batch did to one of its two accounts. */
export interface StatementEntry {
  readonly batchNumber: number;
  /** 32 bytes. */
  readonly batchHash: Uint8Array;
  readonly atMs: number;
  readonly direction: 'paid' | 'earned';
  readonly counterparty: string;
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  /** Base units, like all amounts here. */
  readonly grossXac: bigint;
  readonly feeXac: bigint;
  readonly xatBurned: bigint;
  readonly xasPaid: bigint;
  readonly feeXas: bigint;
  /** XAC base units per traffic unit, exact. */
  readonly price: Ratio;
  /** `null` of a statement from before shards told it. */
  readonly detail: StatementDetail | null;
}

export interface Statement extends StatementEntry {
  readonly networkId: string;
  readonly shard: number;
  /** Who is told, lower case. */
  readonly account: string;
  /** The shard's number for the account: 1, 2, 3 … */
  readonly seq: number;
}

export interface SignedStatement {
  /** Bytes of {@link encodeStatement}. */
  readonly record: Uint8Array;
  /** Ed25519, 64 bytes, by the shard's validator. */
  readonly signature: Uint8Array;
}

/** What a statement says about the order of things. */
type Place = Pick<Statement, 'networkId' | 'shard' | 'account' | 'seq' | 'batchNumber' | 'batchHash'>;
type Verify = (rawKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Without and with the detail, and how many fields they have: the second begins with all of the first. */
const TAG = 'ace-statement-1';
const DETAILED_TAG = 'ace-statement-2';
const FIELDS = 20;
const DETAILED_FIELDS = 23;
const PROOF_TAG = 'ace-shard-proof-1';
/** Two statements, each with a price of 400 digits at most. */
export const MAX_SHARD_PROOF_BYTES = 4_096;

/** The bytes that are signed: one statement has exactly one encoding. */
export function encodeStatement(s: Statement): Uint8Array {
  const sums = [
    s.networkId,
    s.shard,
    s.account,
    s.seq,
    s.batchNumber,
    s.batchHash,
    s.atMs,
    s.direction,
    s.counterparty,
    s.paidUnits,
    s.creditUnits,
    s.refusedUnits,
    s.repaidUnits,
    s.grossXac,
    s.feeXac,
    s.xatBurned,
    s.xasPaid,
    s.feeXas,
    formatRatio(s.price),
  ];
  if (!s.detail) return dagCbor.encode([TAG, ...sums]);
  return dagCbor.encode([DETAILED_TAG, ...sums, ...detailFields(s.detail)]);
}

/** Base units that a payer gives, as a statement sums them up. */
export type StatementSums = Pick<Statement, 'grossXac' | 'feeXac' | 'xatBurned' | 'xasPaid' | 'feeXas'>;

/** What the payments of an entry add up to. */
export function sumsOf({
  repayment,
  payment,
}: Pick<StatementDetail, 'repayment' | 'payment'>): StatementSums {
  const sums = { grossXac: 0n, feeXac: 0n, xatBurned: 0n, xasPaid: 0n, feeXas: 0n };
  for (const part of [repayment, payment]) {
    if (!part) continue;
    sums.grossXac += part.xacFromPayer + part.xacEmitted;
    sums.feeXac += part.feeXac;
    sums.xatBurned += part.xatBurned;
    sums.xasPaid += part.xasFromPayer;
    sums.feeXas += part.feeXas;
  }
  return sums;
}

/** Canonical bytes of a detail, to keep. */
export function encodeDetail(detail: StatementDetail): Uint8Array {
  return dagCbor.encode(detailFields(detail));
}

/** Reads {@link encodeDetail}. @throws AceError `MessageMalformed` */
export function decodeDetail(bytes: Uint8Array): StatementDetail {
  const [repayment, payment, channels] = dagCbor.decode<[unknown, unknown, [Uint8Array, number][]]>(bytes);
  return {
    repayment: repayment === null ? null : paymentFrom(repayment),
    payment: payment === null ? null : paymentFrom(payment),
    channels: channels.map(([channelId, units]) => ({ channelId, units })),
  };
}

function detailFields({ repayment, payment, channels }: StatementDetail): unknown[] {
  return [
    repayment && plainPayment(repayment),
    payment && plainPayment(payment),
    channels.map(({ channelId, units }) => [channelId, units]),
  ];
}

export function encodeShardProof(a: SignedStatement, b: SignedStatement): Uint8Array {
  return dagCbor.encode([PROOF_TAG, a.record, a.signature, b.record, b.signature]);
}

/**
 * Checks a proof, which may come from anyone. The answer is the shard that told two histories.
 * @throws AceError `ProofInvalid`, which says why
 */
export function checkShardProof(
  bytes: Uint8Array,
  networkId: string,
  validatorKeys: readonly Uint8Array[],
  verify: Verify,
): number {
  const parts = bytes.length <= MAX_SHARD_PROOF_BYTES ? decoded(bytes) : null;
  if (!Array.isArray(parts) || parts.length !== 5 || parts[0] !== PROOF_TAG) throw invalid('not a proof');
  const [, recordA, signatureA, recordB, signatureB] = parts as unknown[];
  const places = [
    [recordA, signatureA],
    [recordB, signatureB],
  ].map(([record, signature]) => {
    if (!(record instanceof Uint8Array) || !(signature instanceof Uint8Array)) throw invalid('not a proof');
    const place = placeOf(record);
    const key = validatorKeys[place.shard];
    if (place.networkId !== networkId || !key) throw invalid('of no shard of this network');
    if (!verify(key, record, signature)) throw invalid('the shard did not sign it');
    return { ...place, record };
  });
  const [a, b] = places as [Place & { record: Uint8Array }, Place & { record: Uint8Array }];
  if (!contradict(a, b)) throw invalid('both statements are of one history');
  return a.shard;
}

/** Whether no single history of a shard has both. */
export function contradict(
  a: Place & { readonly record: Uint8Array },
  b: Place & { readonly record: Uint8Array },
): boolean {
  if (a.networkId !== b.networkId || a.shard !== b.shard) return false;
  if (a.batchNumber === b.batchNumber && !sameBytes(a.batchHash, b.batchHash)) return true;
  if (a.account !== b.account) return false;
  if (a.seq === b.seq) return !sameWord(a.record, b.record);
  return a.seq < b.seq ? a.batchNumber > b.batchNumber : a.batchNumber < b.batchNumber;
}

/** Whether two records of one number say the same: one of them may be from before details were told. */
function sameWord(a: Uint8Array, b: Uint8Array): boolean {
  if (sameBytes(a, b)) return true;
  const [older, newer] = [decoded(a), decoded(b)].sort((x, y) => lengthOf(x) - lengthOf(y));
  if (lengthOf(older) === lengthOf(newer)) return false;
  invariant(Array.isArray(older) && Array.isArray(newer), 'statements are lists');
  return sameBytes(dagCbor.encode(older.slice(1)), dagCbor.encode(newer.slice(1, FIELDS)));
}

function lengthOf(fields: unknown): number {
  return Array.isArray(fields) ? fields.length : 0;
}

/** @throws AceError `ProofInvalid` */
function placeOf(record: Uint8Array): Place {
  const fields = decoded(record);
  if (!Array.isArray(fields)) throw invalid('no statement');
  const isStatement =
    (fields[0] === TAG && fields.length === FIELDS) ||
    (fields[0] === DETAILED_TAG && fields.length === DETAILED_FIELDS);
  if (!isStatement) throw invalid('no statement');
  const [, networkId, shard, account, seq, batchNumber, batchHash] = fields as unknown[];
  const isPlace =
    typeof networkId === 'string' &&
    typeof account === 'string' &&
    batchHash instanceof Uint8Array &&
    [shard, seq, batchNumber].every(isCount);
  if (!isPlace) throw invalid('no statement');
  return { networkId, shard, account, seq, batchNumber, batchHash } as Place;
}

/** `null` where the bytes are not dag-cbor. */
function decoded(bytes: Uint8Array): unknown {
  try {
    return dagCbor.decode(bytes);
  } catch {
    return null;
  }
}

function invalid(why: string): AceError {
  return new AceError('ProofInvalid', `The proof against a shard is refused: ${why}`);
}
