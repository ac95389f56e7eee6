/**
 * The home shard's word that an account has bought access to a content: its providers check it with the key in
 * the network's settings, and asks nobody. One purchase has one certificate, the same each time it is asked for: a
 * purchase is never taken back, so that its end is all that a certificate needs.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { isAddress } from '../address.ts';
import type { BoughtAccess } from '../chain.ts';
import { isBytes, tuple } from '../channel/tuple.ts';
import { isCount } from '../count.ts';
import { type AccessTerms, offersAround } from '../economy/access-terms.ts';
import { amount, MAX_AMOUNT } from '../economy/money.ts';
import { AceError } from '../errors.ts';

export interface AccessCertificate extends BoughtAccess {
  readonly networkId: string;
  /** Home of the account, which signs. */
  readonly shard: number;
  /** Who has the access, lower case. */
  readonly account: string;
}

/** As it travels. */
export interface SignedAccess {
  /** Bytes of {@link encodeAccess}. */
  readonly record: Uint8Array;
  /** Ed25519, 64 bytes, by the shard's validator. */
  readonly signature: Uint8Array;
}

/** Why a certificate opens nothing. */
export type AccessObstacle = 'AccessNeeded' | 'AccessInvalid' | 'AccessExpired';

const TAG = 'ace-access-1';
const FIELDS = 11;
/** With room for the longest network id and content id. */
export const MAX_ACCESS_BYTES = 512;
const MAX_NAME = 128;

export function encodeAccess(access: AccessCertificate): Uint8Array {
  return dagCbor.encode([
    TAG,
    access.networkId,
    access.shard,
    access.account,
    access.contentId,
    access.seller,
    access.priceXac,
    access.premium,
    access.lastsMs,
    access.boughtAtMs,
    access.untilMs,
  ]);
}

/** @throws AceError `MessageMalformed` */
export function decodeAccess(record: Uint8Array): AccessCertificate {
  if (record.byteLength > MAX_ACCESS_BYTES) throw malformed();
  const [, networkId, shard, account, contentId, seller, price, premium, ...times] = tuple(
    record,
    TAG,
    FIELDS,
    'access certificate',
  );
  const priceXac = typeof price === 'bigint' || isCount(price) ? BigInt(price) : -1n;
  const [lastsMs, boughtAtMs, untilMs] = times;
  if (!isName(networkId) || !isName(contentId) || !isAddress(account) || !isAddress(seller))
    throw malformed();
  if (!isCount(shard) || !isPrice(priceXac) || typeof premium !== 'boolean') throw malformed();
  if (!isCount(lastsMs) || !isCount(boughtAtMs) || !isCount(untilMs)) throw malformed();
  return {
    ...{ networkId, shard, account, contentId, seller, premium, lastsMs, boughtAtMs, untilMs },
    priceXac: amount(priceXac),
  };
}

export function isSignedAccess({ record, signature }: SignedAccess): boolean {
  return record.byteLength <= MAX_ACCESS_BYTES && isBytes(signature, 64);
}

/**
 * Until when it opens what is sold on `terms`: `Infinity` for ever; `null` when it does not pay for that. Who buys may not
 * have heard yet of a price that has just changed, and clocks differ: of the offers within `toleranceMs` of the purchase,
 * the best counts.
 */
export function accessEndMs(access: BoughtAccess, terms: AccessTerms, toleranceMs: number): number | null {
  const { seller, premium, priceXac, lastsMs, boughtAtMs, untilMs } = access;
  if (seller !== terms.seller || premium !== terms.premium) return null;
  const isPaid = offersAround(terms, boughtAtMs, toleranceMs).some(
    (offer) => priceXac >= offer.priceXac && lasting(lastsMs) <= lasting(offer.lastsMs),
  );
  return isPaid ? lasting(untilMs) : null;
}

function lasting(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

function isPrice(value: bigint): boolean {
  return value > 0n && value <= MAX_AMOUNT;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
}

function malformed(): AceError {
  return new AceError('MessageMalformed', 'The access certificate is malformed', { reaction: 'drop-peer' });
}
