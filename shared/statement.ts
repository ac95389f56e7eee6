/**
 * A shard's signed word to an account about one entry of a settlement batch. Two of them that no single history has are
 * a proof, which anyone can check with the key in the network's settings: the shard showed two histories.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { AceError } from './errors.ts';
import { formatRatio, type Ratio } from './ratio.ts';

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

const TAG = 'ace-statement-1';
const FIELDS = 20;
const PROOF_TAG = 'ace-shard-proof-1';
/** Two statements, each with a price of 400 digits at most. */
export const MAX_SHARD_PROOF_BYTES = 4_096;

/** The bytes that are signed: one statement has exactly one encoding. */
export function encodeStatement(s: Statement): Uint8Array {
  return dagCbor.encode([
    TAG,
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
  ]);
}

export function encodeShardProof(a: SignedStatement, b: SignedStatement): Uint8Array {
  return dagCbor.encode([PROOF_TAG, a.record, a.signature, b.record, b.signature]);
}

/**
 * Checks a proof, whoever shows it. The answer is the shard that told two histories.
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
  if (a.batchNumber === b.batchNumber && !same(a.batchHash, b.batchHash)) return true;
  if (a.account !== b.account) return false;
  if (a.seq === b.seq) return !same(a.record, b.record);
  return a.seq < b.seq ? a.batchNumber > b.batchNumber : a.batchNumber < b.batchNumber;
}

/** @throws AceError `ProofInvalid` */
function placeOf(record: Uint8Array): Place {
  const fields = decoded(record);
  if (!Array.isArray(fields) || fields.length !== FIELDS || fields[0] !== TAG) throw invalid('no statement');
  const [, networkId, shard, account, seq, batchNumber, batchHash] = fields as unknown[];
  const isPlace =
    typeof networkId === 'string' &&
    typeof account === 'string' &&
    batchHash instanceof Uint8Array &&
    [shard, seq, batchNumber].every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
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

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
