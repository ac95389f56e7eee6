/**
 * The signed records of a payment channel (docs/protocols.md#channel-records) and their canonical bytes.
 *
 * A record is signed and hashed over exactly the bytes that its `encode…` returns. Each begins with a tag of its kind,
 * so that a signature over one kind can never pass for another.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { isAddress } from '../address.ts';
import { isCount } from '../count.ts';
import { isDeviceKey } from '../device-key.ts';
import { AceError } from '../errors.ts';
import { isBytes, tuple } from './tuple.ts';

export type Sha256 = (data: Uint8Array) => Uint8Array;

export const HASH_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** Largest capacity of one channel. A longer stream renews. */
export const MAX_CAPACITY_UNITS = 10_240;

/** What the payer's device offers: one-way, in traffic units, between two devices of two accounts. */
export interface ChannelTerms {
  readonly networkId: string;
  /** Home shard of the payer's account. */
  readonly shard: number;
  /** Account addresses, lower case. */
  readonly payer: string;
  readonly payee: string;
  /** Raw Ed25519 public keys. */
  readonly payerDevice: Uint8Array;
  readonly payeeDevice: Uint8Array;
  /** Units that the channel may pay. */
  readonly capacityUnits: number;
  /** Tick 0 of the hash chain; fresh for every channel. */
  readonly anchor: Uint8Array;
  readonly expiresAtMs: number;
  readonly nonce: Uint8Array;
}

export function encodeTerms(t: ChannelTerms): Uint8Array {
  return dagCbor.encode([
    'ace-terms-1',
    t.networkId,
    t.shard,
    t.payer,
    t.payee,
    t.payerDevice,
    t.payeeDevice,
    t.capacityUnits,
    t.anchor,
    t.expiresAtMs,
    t.nonce,
  ]);
}

/** @throws AceError `MessageMalformed` for anything but the canonical bytes of valid terms. */
export function decodeTerms(bytes: Uint8Array): ChannelTerms {
  const f = tuple(bytes, 'ace-terms-1', 11, 'channel terms');
  const [
    ,
    networkId,
    shard,
    payer,
    payee,
    payerDevice,
    payeeDevice,
    capacityUnits,
    anchor,
    expiresAtMs,
    nonce,
  ] = f;
  const valid =
    typeof networkId === 'string' &&
    isCount(shard) &&
    isAddress(payer) &&
    isAddress(payee) &&
    isDeviceKey(payerDevice) &&
    isDeviceKey(payeeDevice) &&
    isCount(capacityUnits) &&
    capacityUnits >= 1 &&
    capacityUnits <= MAX_CAPACITY_UNITS &&
    isBytes(anchor, HASH_BYTES) &&
    isCount(expiresAtMs) &&
    isBytes(nonce, 16);
  if (!valid)
    throw new AceError('MessageMalformed', 'The channel terms are malformed', { reaction: 'drop-peer' });
  return {
    networkId,
    shard,
    payer,
    payee,
    payerDevice,
    payeeDevice,
    capacityUnits,
    anchor,
    expiresAtMs,
    nonce,
  };
}

/** The channel id is the SHA-256 of the terms' canonical bytes, which are the only ones that `decodeTerms` takes. */
export function channelIdOf(terms: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(terms);
}

/** The home shard's word that it reserved the capacity; the signature is by the shard's validator key. */
export interface Lease {
  readonly channelId: Uint8Array;
  readonly shard: number;
  readonly capacityUnits: number;
  readonly expiresAtMs: number;
  readonly signature: Uint8Array;
}

/** The bytes that a validator signs to lease these terms. */
export function encodeLease(lease: Omit<Lease, 'signature'>): Uint8Array {
  return dagCbor.encode([
    'ace-lease-1',
    lease.channelId,
    lease.shard,
    lease.capacityUnits,
    lease.expiresAtMs,
  ]);
}

/** Both sides' word on how far a channel has come. Signed by the payer, countersigned by the payee. */
export interface Checkpoint {
  readonly channelId: Uint8Array;
  /** Ascends by at least 1 from one checkpoint of the channel to the next. */
  readonly number: number;
  /** Units paid, that is the index of `tick`. */
  readonly units: number;
  /** Bytes that the payer has verified, and of these the bytes that were viewed as video. */
  readonly bytes: number;
  readonly videoBytes: number;
  /** Milliseconds the payer's account spent watching what the channel carried. */
  readonly watchMs: number;
  /** No further unit will be paid on this channel. */
  readonly final: boolean;
  readonly tick: Uint8Array;
}

export function encodeCheckpoint(c: Checkpoint): Uint8Array {
  return dagCbor.encode([
    'ace-checkpoint-1',
    c.channelId,
    c.number,
    c.units,
    c.bytes,
    c.videoBytes,
    c.watchMs,
    c.final,
    c.tick,
  ]);
}

/** @throws AceError `MessageMalformed` */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const f = tuple(bytes, 'ace-checkpoint-1', 9, 'checkpoint');
  const [, channelId, number, units, size, videoBytes, watchMs, final, tick] = f;
  const valid =
    isBytes(channelId, HASH_BYTES) &&
    isCount(number) &&
    isCount(units) &&
    isCount(size) &&
    isCount(videoBytes) &&
    videoBytes <= size &&
    isCount(watchMs) &&
    typeof final === 'boolean' &&
    isBytes(tick, HASH_BYTES);
  if (!valid)
    throw new AceError('MessageMalformed', 'The checkpoint is malformed', { reaction: 'drop-peer' });
  return { channelId, number, units, bytes: size, videoBytes, watchMs, final, tick };
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly payerSignature: Uint8Array;
  /** `null` until the payee has countersigned. */
  readonly payeeSignature: Uint8Array | null;
}
