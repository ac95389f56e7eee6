/**
 * Proof that a payer's device said two things that cannot both be honest: portable, checked by anyone who knows the
 * network's id and nothing else.
 *
 * What is a proof: two checkpoints of one channel with one number and different content, or two terms with one anchor
 * and different content, both signed by one device. The channel id is the hash of the terms, so a checkpoint names its
 * device by itself.
 *
 * What is none, and why an honest device never makes one:
 * - The same record signed twice is one record. A device commits a record before it sends it, so a crash in between
 *   has it say the same bytes again.
 * - Units, bytes or watch time that go back under a *higher* number: a payer restored from an old copy of its books says
 *   such things in good faith. It never uses a number again, because numbers follow its clock (`makeCheckpoint`), and
 *   never an anchor, because each comes from a fresh random seed. Two running copies of one device that sign in the
 *   same millisecond, and a clock turned back together with the books, are not told apart from cheating.
 * - Records of two devices: an anchor is public once its terms were sent, and anyone can copy it.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { sameBytes } from '../bytes.ts';
import { AceError } from '../errors.ts';
import { decodeCheckpoint, decodeTerms, type Sha256, SIGNATURE_BYTES } from './records.ts';
import { isBytes, tuple } from './tuple.ts';

export type EquivocationKind = 'checkpoint' | 'anchor';

/** Canonical bytes of a record and the payer device's signature of them. */
export interface SignedRecord {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
}

export interface EquivocationProof {
  readonly kind: EquivocationKind;
  /** Terms of the channel that both checkpoints are of; empty for two terms. */
  readonly terms: Uint8Array;
  /** The two records, in the order of their bytes: one contradiction has one encoding. */
  readonly records: readonly [SignedRecord, SignedRecord];
}

/** What a valid proof says. */
export interface Equivocation {
  readonly kind: EquivocationKind;
  /** Raw Ed25519 key of the device that cheated, and the account it acted for. */
  readonly device: Uint8Array;
  readonly account: string;
  /** Home shard of that account, as the terms say. */
  readonly shard: number;
  /** Channels that the two records are of: one for checkpoints, two for terms. */
  readonly channelIds: readonly Uint8Array[];
}

/** Whether `signature` is the raw Ed25519 key's signature of `bytes`, and no other form of it. */
export type Verify = (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Three records of at most 512 bytes, two signatures and their frame. */
export const MAX_PROOF_BYTES = 2_048;
const MAX_RECORD_BYTES = 512;
const TAG = 'ace-equivocation-1';

/** Two checkpoints of the channel with these terms. Whether they prove anything is for {@link checkProof}. */
export function checkpointProof(terms: Uint8Array, a: SignedRecord, b: SignedRecord): EquivocationProof {
  return { kind: 'checkpoint', terms, records: ordered(a, b) };
}

/** Two terms. Whether they prove anything is for {@link checkProof}. */
export function anchorProof(a: SignedRecord, b: SignedRecord): EquivocationProof {
  return { kind: 'anchor', terms: new Uint8Array(0), records: ordered(a, b) };
}

export function encodeProof({ kind, terms, records: [first, second] }: EquivocationProof): Uint8Array {
  return dagCbor.encode([TAG, kind, terms, first.record, first.signature, second.record, second.signature]);
}

/** @throws AceError `MessageTooLarge`, `MessageMalformed` for anything but the canonical bytes of a proof's shape */
export function decodeProof(bytes: Uint8Array): EquivocationProof {
  if (bytes.byteLength > MAX_PROOF_BYTES) {
    throw new AceError('MessageTooLarge', `A proof has at most ${MAX_PROOF_BYTES} bytes`, {
      reaction: 'drop-peer',
    });
  }
  const [, kind, terms, firstRecord, firstSignature, secondRecord, secondSignature] = tuple(
    bytes,
    TAG,
    7,
    'proof',
  );
  const valid =
    (kind === 'checkpoint' || kind === 'anchor') &&
    isRecord(terms) &&
    (kind === 'checkpoint' || terms.byteLength === 0) &&
    isRecord(firstRecord) &&
    isRecord(secondRecord) &&
    isBytes(firstSignature, SIGNATURE_BYTES) &&
    isBytes(secondSignature, SIGNATURE_BYTES);
  if (!valid) throw new AceError('MessageMalformed', 'The proof is malformed', { reaction: 'drop-peer' });
  return {
    kind,
    terms,
    records: [
      { record: firstRecord, signature: firstSignature },
      { record: secondRecord, signature: secondSignature },
    ],
  };
}

/**
 * Checks a proof: two signatures, and no more hashing than its own bytes.
 * @throws AceError `MessageTooLarge`, `MessageMalformed`, `WrongNetwork`, `InvalidSignature`, `ProofInvalid`
 */
export function checkProof(
  bytes: Uint8Array,
  networkId: string,
  sha256: Sha256,
  verify: Verify,
): Equivocation {
  const proof = decodeProof(bytes);
  const [first, second] = proof.records;
  if (compareBytes(first.record, second.record) >= 0) {
    throw invalid('its records are the same, or not in order');
  }
  const accused = proof.kind === 'checkpoint' ? checkpoints(proof, sha256) : anchors(proof, sha256);
  if (accused.networkId !== networkId) {
    throw new AceError('WrongNetwork', `A proof of network ${accused.networkId}`, { reaction: 'drop-peer' });
  }
  for (const { record, signature } of proof.records) {
    if (!verify(accused.device, record, signature)) {
      throw new AceError('InvalidSignature', 'The proof is not signed by the device that it accuses', {
        reaction: 'drop-peer',
      });
    }
  }
  const { networkId: _, ...equivocation } = accused;
  return equivocation;
}

type Accused = Equivocation & { readonly networkId: string };

function checkpoints({ terms: termsBytes, records }: EquivocationProof, sha256: Sha256): Accused {
  const terms = decodeTerms(termsBytes);
  const channelId = sha256(termsBytes);
  const [a, b] = [decodeCheckpoint(records[0].record), decodeCheckpoint(records[1].record)];
  if (!sameBytes(a.channelId, channelId) || !sameBytes(b.channelId, channelId)) {
    throw invalid('its checkpoints are of another channel than its terms');
  }
  if (a.number !== b.number) throw invalid('its checkpoints have two numbers');
  return {
    kind: 'checkpoint',
    networkId: terms.networkId,
    device: terms.payerDevice,
    account: terms.payer,
    shard: terms.shard,
    channelIds: [channelId],
  };
}

function anchors({ records }: EquivocationProof, sha256: Sha256): Accused {
  const [a, b] = [decodeTerms(records[0].record), decodeTerms(records[1].record)];
  if (!sameBytes(a.anchor, b.anchor)) throw invalid('its terms have two anchors');
  if (!sameBytes(a.payerDevice, b.payerDevice)) throw invalid('its terms are of two devices');
  if (a.networkId !== b.networkId) throw invalid('its terms are of two networks');
  return {
    kind: 'anchor',
    networkId: a.networkId,
    device: a.payerDevice,
    account: a.payer,
    shard: a.shard,
    channelIds: records.map(({ record }) => sha256(record)),
  };
}

function ordered(a: SignedRecord, b: SignedRecord): readonly [SignedRecord, SignedRecord] {
  return compareBytes(a.record, b.record) <= 0 ? [a, b] : [b, a];
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.byteLength, b.byteLength);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.byteLength - b.byteLength;
}

function isRecord(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength <= MAX_RECORD_BYTES;
}

function invalid(why: string): AceError {
  return new AceError('ProofInvalid', `The proof proves nothing: ${why}`, { reaction: 'drop-peer' });
}
