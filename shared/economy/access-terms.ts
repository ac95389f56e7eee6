/**
 * What access to a content or a broadcast costs, as its signed file says (docs/economy.md#access). A price that changes
 * does not touch what was bought before: each offer counts from its moment on.
 */
import { isAddress } from '../address.ts';
import { isCount } from '../count.ts';
import { AceError } from '../errors.ts';
import { amount, MAX_AMOUNT, type TokenAmount } from './money.ts';

export interface AccessOffer {
  /** From when on, by the seller's clock; 0 in the file of a content, whose price never changes. */
  readonly fromMs: number;
  /** Base units, more than 0. */
  readonly priceXac: TokenAmount;
  /** What one purchase lasts; 0: for ever. */
  readonly lastsMs: number;
}

export interface AccessTerms {
  /** Account that is paid, lower case. */
  readonly seller: string;
  /** Of the premium pool. */
  readonly premium: boolean;
  /** Ascending, one at least. */
  readonly offers: readonly AccessOffer[];
}

/** A day and a night: what one purchase of a broadcast lasts, unless its seller says otherwise. */
export const DEFAULT_LIVE_ACCESS_MS = 24 * 3_600_000;
/** Prices of one broadcast that still count: it changes a few times a day at most. */
export const MAX_OFFERS = 16;

/** Of a content that is a file: for ever. */
export function fileTerms(seller: string, priceXac: TokenAmount, premium: boolean): AccessTerms {
  return { seller, premium, offers: [{ fromMs: 0, priceXac, lastsMs: 0 }] };
}

/** What is asked now: the first offer before its time, too. */
export function offerAt({ offers }: Pick<AccessTerms, 'offers'>, atMs: number): AccessOffer {
  const [first] = offers;
  if (!first) throw new AceError('Internal', 'Access terms have no offer');
  return offers.findLast(({ fromMs }) => fromMs <= atMs) ?? first;
}

/** Every offer that was asked at some moment within `withinMs` of `atMs`. */
export function offersAround(
  terms: Pick<AccessTerms, 'offers'>,
  atMs: number,
  withinMs: number,
): AccessOffer[] {
  const { offers } = terms;
  const [first, last] = [offerAt(terms, atMs - withinMs), offerAt(terms, atMs + withinMs)];
  return offers.slice(offers.indexOf(first), offers.indexOf(last) + 1);
}

/**
 * Offers after a change of the price. Several spans may have been bought ahead, so all are told as long as there is room;
 * then the oldest is left out of which one span is over. More than {@link MAX_OFFERS}: none is.
 */
export function withOffer(offers: readonly AccessOffer[], offer: AccessOffer): AccessOffer[] {
  const all = [...offers.filter(({ fromMs }) => fromMs < offer.fromMs), offer];
  if (all.length <= MAX_OFFERS) return all;
  const over = all.findIndex((_, i) => isOver(all, i, offer.fromMs));
  return all.filter((_, i) => i !== over);
}

/** Whether one span that was bought last under an offer is over by then; of the newest it never is. */
function isOver(offers: readonly AccessOffer[], i: number, atMs: number): boolean {
  const [offer, next] = [offers[i], offers[i + 1]];
  return !!offer && !!next && offer.lastsMs !== 0 && next.fromMs + offer.lastsMs <= atMs;
}

/**
 * Whether `told` goes on from what was told before: what was asked at some time is never another afterwards, and no price
 * begins before `sinceMs`. Otherwise a seller could close with a record what somebody has paid for.
 */
export function goesOnFrom(
  known: readonly AccessOffer[],
  told: readonly AccessOffer[],
  sinceMs: number,
): boolean {
  const newestMs = told.at(-1)?.fromMs ?? 0;
  const lastKnownMs = known.at(-1)?.fromMs ?? 0;
  const isKept = (offer: AccessOffer) => told.some((other) => isSame(offer, other));
  const areKept = known.every(
    (offer, i) =>
      isKept(offer) || (told.length === MAX_OFFERS && (i === known.length - 1 || isOver(known, i, newestMs))),
  );
  return (
    areKept &&
    told.every(
      (offer) =>
        (offer.fromMs > lastKnownMs && offer.fromMs >= sinceMs) ||
        known.some((other) => isSame(offer, other)),
    )
  );
}

function isSame(one: AccessOffer, other: AccessOffer): boolean {
  return one.fromMs === other.fromMs && one.priceXac === other.priceXac && one.lastsMs === other.lastsMs;
}

/** As they are signed, in dag-cbor. */
export function plainOffers(offers: readonly AccessOffer[]): unknown[] {
  return offers.map(({ fromMs, priceXac, lastsMs }) => [fromMs, priceXac, lastsMs]);
}

/** `null` when they are malformed. */
export function offersFromPlain(plain: unknown): AccessOffer[] | null {
  if (!Array.isArray(plain) || plain.length === 0 || plain.length > MAX_OFFERS) return null;
  const offers = plain.map(offerFromPlain);
  const isAscending = offers.every(
    (offer, i) => i === 0 || (offer?.fromMs ?? 0) > (offers[i - 1]?.fromMs ?? 0),
  );
  return isAscending && offers.every((offer) => offer !== null) ? (offers as AccessOffer[]) : null;
}

export function plainTerms({ seller, premium, offers }: AccessTerms): unknown[] {
  return [seller, premium, plainOffers(offers)];
}

/** `null` when they are malformed. */
export function termsFromPlain(plain: unknown): AccessTerms | null {
  if (!Array.isArray(plain) || plain.length !== 3) return null;
  const [seller, premium, plainList] = plain as unknown[];
  const offers = offersFromPlain(plainList);
  return isAddress(seller) && typeof premium === 'boolean' && offers ? { seller, premium, offers } : null;
}

/** Whether the terms are those of a file: one price, from the beginning and for ever. */
export function areFileTerms({ offers }: AccessTerms): boolean {
  const [only] = offers;
  return offers.length === 1 && only?.fromMs === 0 && only.lastsMs === 0;
}

function offerFromPlain(plain: unknown): AccessOffer | null {
  if (!Array.isArray(plain) || plain.length !== 3) return null;
  const [fromMs, price, lastsMs] = plain as unknown[];
  const isPrice = (typeof price === 'bigint' || isCount(price)) && price > 0 && price <= MAX_AMOUNT;
  if (!isPrice || !isCount(fromMs) || !isCount(lastsMs)) return null;
  return { fromMs, priceXac: amount(BigInt(price)), lastsMs };
}
