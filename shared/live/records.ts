/**
 * What a broadcaster says of its broadcast: one record for each segment, and one for the end. Its device signs them.
 *
 * The sequence number ascends by one and is never used twice, so two records with one number are a contradiction.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { tuple } from '../channel/tuple.ts';
import { isCount } from '../count.ts';
import { type AccessOffer, offersFromPlain, plainOffers } from '../economy/access-terms.ts';
import { AceError } from '../errors.ts';

export interface LiveRecord {
  /** Content id of the broadcast. */
  readonly broadcast: string;
  /** From 0, one more for each record; the end has one too. */
  readonly sequence: number;
  /** The segment; `null` says that the broadcast is over. */
  readonly contentId: string | null;
  /** What a segment of fragmented MP4 begins with; `null` for others. */
  readonly initContentId: string | null;
  /** Of play; 0 for the end. */
  readonly durationMs: number;
  /** 0 for the end. */
  readonly sizeBytes: number;
  /** How often the broadcast was interrupted up to this segment: one more than before it where its clock jumps. */
  readonly discontinuities: number;
  /** When what it shows began, by the broadcaster's clock. */
  readonly startsAtMs: number;
  /** Of a broadcast that is sold: its prices that still count. */
  readonly offers?: readonly AccessOffer[];
}

const TAG = 'ace-live-record-1';
/** With offers, which come last. */
const SOLD_TAG = 'ace-live-record-2';
/** In the order in which they are signed. */
const FIELDS = [
  'broadcast',
  'sequence',
  'contentId',
  'initContentId',
  'durationMs',
  'sizeBytes',
  'discontinuities',
  'startsAtMs',
] as const satisfies readonly (keyof LiveRecord)[];
/** CBOR's first byte of a short list, without its length. */
const LIST = 0x80;
const CONTENT_ID = /^b[a-z2-7]{20,120}$/;

export const MIN_SEGMENT_MS = 100;
export const MAX_SEGMENT_MS = 60_000;
export const MAX_SEGMENT_BYTES = 32 * 1_048_576;
/** 100 Mbit/s. Fetching is paid, so no viewer is asked to fetch faster. */
export const MAX_BYTES_PER_MS = 12_500;
/** Beyond what a broadcast can reach in a thousand years. */
const MAX_SEQUENCE = 2 ** 40;

/** Before it is checked. */
type Fields = Record<(typeof FIELDS)[number], unknown>;

/** Canonical bytes. */
export function encodeLiveRecord(record: LiveRecord): Uint8Array {
  const fields = FIELDS.map((field) => record[field]);
  if (!record.offers) return dagCbor.encode([TAG, ...fields]);
  return dagCbor.encode([SOLD_TAG, ...fields, plainOffers(record.offers)]);
}

/** @throws AceError `MessageMalformed`, `RecordInvalid` when a figure is out of its bounds */
export function decodeLiveRecord(bytes: Uint8Array): LiveRecord {
  const { values, offers } = fieldsIn(bytes);
  const fields = Object.fromEntries(FIELDS.map((field, i) => [field, values[i]])) as Fields;
  const { broadcast, sequence, contentId, initContentId, durationMs, sizeBytes, discontinuities } = fields;
  if (!isContentId(broadcast)) throw invalid('its broadcast is malformed');
  if (contentId !== null && !isContentId(contentId)) throw invalid('its segment is malformed');
  if (initContentId !== null && !isContentId(initContentId)) throw invalid('its init segment is malformed');
  if (!isCount(sequence) || sequence > MAX_SEQUENCE) throw invalid('its sequence number is out of range');
  if (!isCount(durationMs) || !isCount(sizeBytes)) throw invalid('its figures are malformed');
  if (!isCount(discontinuities) || discontinuities > sequence)
    throw invalid('its interruptions are more than its segments');
  if (!isCount(fields.startsAtMs)) throw invalid('its time is malformed');
  if (contentId !== null) checkSegmentSize(durationMs, sizeBytes);
  else if (durationMs > 0 || sizeBytes > 0 || initContentId !== null)
    throw invalid('an end has no size and no time of play');
  return { ...(fields as LiveRecord), ...(offers && { offers }) };
}

/** @throws AceError `MessageMalformed`, `RecordInvalid` */
function fieldsIn(bytes: Uint8Array): { values: readonly unknown[]; offers: AccessOffer[] | null } {
  // The length of a list is in its first byte: 9 items, or 10.
  const isSold = bytes[0] === LIST + FIELDS.length + 2;
  const length = FIELDS.length + (isSold ? 2 : 1);
  const [, ...values] = tuple(bytes, isSold ? SOLD_TAG : TAG, length, 'live record');
  if (!isSold) return { values, offers: null };
  const offers = offersFromPlain(values.at(-1));
  if (!offers) throw invalid('its prices are malformed');
  return { values: values.slice(0, -1), offers };
}

/** What a segment may be. @throws AceError `RecordInvalid` */
export function checkSegmentSize(durationMs: number, sizeBytes: number): void {
  if (durationMs < MIN_SEGMENT_MS || durationMs > MAX_SEGMENT_MS)
    throw invalid(`a segment plays from ${MIN_SEGMENT_MS} ms to ${MAX_SEGMENT_MS} ms, not ${durationMs} ms`);
  if (sizeBytes === 0 || sizeBytes > MAX_SEGMENT_BYTES)
    throw invalid(`a segment has from 1 to ${MAX_SEGMENT_BYTES} bytes, not ${sizeBytes}`);
  if (sizeBytes > durationMs * MAX_BYTES_PER_MS)
    throw invalid(`a broadcast has at most ${MAX_BYTES_PER_MS * 8_000} bits a second`);
}

/** Of a content or a broadcast, as it is spelled on the wire. */
export function isContentId(value: unknown): value is string {
  return typeof value === 'string' && CONTENT_ID.test(value);
}

function invalid(why: string): AceError {
  return new AceError('RecordInvalid', `The record of the broadcast is refused: ${why}`, {
    reaction: 'drop-peer',
  });
}
