/**
 * Messages of a piece-exchange stream: one byte of type, then the body.
 *
 * What is sent for every piece is packed by hand, because each of its bytes is overhead on every MiB; the rest is
 * dag-cbor. Everything decoded here came from a stranger.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { varint } from 'multiformats';
import { Uint8ArrayList } from 'uint8arraylist';
import { hasAtMostItems, MAX_RECORD_ITEMS } from '../../shared/bounded-cbor.ts';
import { isBytes } from '../../shared/channel/tuple.ts';
import { isCount } from '../../shared/count.ts';
import { CHUNK_BYTES, PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { MAX_ACCESS_BYTES } from '../../shared/settlement/access-certificate.ts';
import { MAX_STOPPED_FOR_MS } from '../p2p/offer.ts';

export type Message =
  /** Viewer → provider, and its answer: who I am. */
  | { readonly type: 'hello'; readonly certificate: Uint8Array }
  | { readonly type: 'welcome'; readonly certificate: Uint8Array; readonly free: boolean }
  /** Viewer: pays on this channel from now on. */
  | {
      readonly type: 'open';
      readonly terms: Uint8Array;
      readonly termsSignature: Uint8Array;
      readonly leaseSignature: Uint8Array;
    }
  /** Provider: its books of the channel. */
  | { readonly type: 'opened'; readonly paidUnits: number; readonly servedBytes: number }
  | { readonly type: 'request'; readonly id: number; readonly contentId: string; readonly pieceIndex: number }
  | { readonly type: 'tick'; readonly index: number; readonly tick: Uint8Array }
  | { readonly type: 'checkpoint'; readonly record: Uint8Array; readonly signature: Uint8Array }
  | {
      readonly type: 'countersigned';
      readonly channelId: Uint8Array;
      readonly number: number;
      readonly signature: Uint8Array;
    }
  /** Provider: a piece follows. It is booked, and so are the ticks that came before. */
  | { readonly type: 'piece'; readonly id: number; readonly chunkHashes: Uint8Array }
  | { readonly type: 'chunk'; readonly data: Uint8Array | Uint8ArrayList }
  /** Provider: this request is not served. `id` 0 means the channel that was to be opened. */
  | {
      readonly type: 'refused';
      readonly id: number;
      readonly code: string;
      /** For how long, where the provider knows it. */
      readonly forMs?: number | undefined;
    }
  /** Viewer: no longer wants what it asked for. Refused with `Withdrawn` if it waits still, served if it does not. */
  | { readonly type: 'withdraw'; readonly id: number }
  /** Viewer: asks which pieces the provider has, now and as they become more. */
  | { readonly type: 'interest'; readonly contentId: string }
  /** Provider: a bit for each piece, lowest first; none at all when it has every piece. */
  | { readonly type: 'have'; readonly contentId: string; readonly bitmap: Uint8Array }
  /** Viewer: asks for the transport file of a content and, unless `id` is 0, for one of its pieces along with it. */
  | { readonly type: 'ask'; readonly id: number; readonly contentId: string; readonly pieceIndex: number }
  /** Provider: the transport file, empty when it has none or one that is too long for a message. */
  | { readonly type: 'transport'; readonly contentId: string; readonly bytes: Uint8Array }
  /** Viewer: its home shard's word that it has bought access to what it asks for next. */
  | { readonly type: 'access'; readonly record: Uint8Array; readonly signature: Uint8Array };

export type MessageType = Message['type'];

type Of<T extends MessageType> = Extract<Message, { type: T }>;

/** A message's first byte is its place in this list. */
const TYPES: readonly MessageType[] = [
  'hello',
  'welcome',
  'open',
  'opened',
  'request',
  'tick',
  'checkpoint',
  'countersigned',
  'piece',
  'chunk',
  'refused',
  'withdraw',
  'interest',
  'have',
  'ask',
  'transport',
  'access',
];

const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;
const MAX_CONTENT_ID = 120;
const MAX_CHUNKS = PIECE_BYTES / CHUNK_BYTES;
/** No limit of a user's stops it for longer than a month, and an hour of another season. */

/** Messages that exist because of payment; the others would be there without. */
export const PAYMENT_TYPES: ReadonlySet<MessageType> = new Set([
  'open',
  'opened',
  'tick',
  'checkpoint',
  'countersigned',
]);

type PackedType = 'tick' | 'piece' | 'withdraw';
type TupleType = Exclude<MessageType, PackedType | 'chunk'>;
type Check = (value: unknown) => boolean;

/** A number as a varint, then bytes of which `fits` says whether there may be so many. */
interface PackedBody {
  readonly number: string;
  readonly bytes: string | null;
  readonly fits: (byteLength: number) => boolean;
}

const PACKED: Readonly<Record<PackedType, PackedBody>> = {
  tick: { number: 'index', bytes: 'tick', fits: (byteLength) => byteLength === HASH_BYTES },
  piece: {
    number: 'id',
    bytes: 'chunkHashes',
    fits: (byteLength) => byteLength % HASH_BYTES === 0 && byteLength <= MAX_CHUNKS * HASH_BYTES,
  },
  withdraw: { number: 'id', bytes: null, fits: (byteLength) => byteLength === 0 },
};

const isByteString = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const isSignature: Check = (value) => isBytes(value, SIGNATURE_BYTES);
const isContentId: Check = (value) => typeof value === 'string' && value.length <= MAX_CONTENT_ID;

/** The fields of a dag-cbor list, in their order there. */
const TUPLES: {
  readonly [T in TupleType]: { readonly [F in keyof Omit<Of<T>, 'type'>]-?: Check };
} = {
  hello: { certificate: isByteString },
  welcome: { certificate: isByteString, free: (value) => typeof value === 'boolean' },
  open: { terms: isByteString, termsSignature: isSignature, leaseSignature: isSignature },
  opened: { paidUnits: isCount, servedBytes: isCount },
  request: { id: (value) => isCount(value) && value > 0, contentId: isContentId, pieceIndex: isCount },
  checkpoint: { record: isByteString, signature: isSignature },
  countersigned: {
    channelId: (value) => isBytes(value, HASH_BYTES),
    number: isCount,
    signature: isSignature,
  },
  refused: {
    id: isCount,
    code: (value) => typeof value === 'string' && /^[A-Za-z]{1,40}$/.test(value),
    forMs: (value) => value === undefined || (isCount(value) && value <= MAX_STOPPED_FOR_MS),
  },
  interest: { contentId: isContentId },
  have: { contentId: isContentId, bitmap: isByteString },
  ask: { id: isCount, contentId: isContentId, pieceIndex: isCount },
  transport: { contentId: isContentId, bytes: isByteString },
  access: {
    record: (value) => isByteString(value) && value.byteLength <= MAX_ACCESS_BYTES,
    signature: isSignature,
  },
};

export function encodeMessage(message: Message): Uint8ArrayList<ArrayBufferLike> {
  const list = new Uint8ArrayList<ArrayBufferLike>(Uint8Array.of(TYPES.indexOf(message.type)));
  const values = message as unknown as Readonly<Record<string, unknown>>;
  if (message.type === 'chunk') list.append(message.data);
  else if (isPacked(message.type)) {
    const { number, bytes } = PACKED[message.type];
    list.append(varint.encodeTo(values[number] as number, newVarint(values[number] as number)));
    if (bytes !== null) list.append(values[bytes] as Uint8Array);
  } else list.append(dagCbor.encode(fieldsOf(message.type, values)));
  return list;
}

/** What may be left out comes last, and is not there then. */
function fieldsOf(type: TupleType, values: Readonly<Record<string, unknown>>): unknown[] {
  const fields = Object.keys(TUPLES[type]).map((field) => values[field]);
  return fields.at(-1) === undefined ? fields.slice(0, -1) : fields;
}

/** @throws AceError `MessageMalformed` */
export function decodeMessage(frame: Uint8Array | Uint8ArrayList): Message {
  const type =
    frame.byteLength === 0 ? undefined : TYPES[frame instanceof Uint8Array ? (frame[0] ?? -1) : frame.get(0)];
  if (type === 'chunk') return decodeChunk(frame);
  const message = type && decodeBody(type, frame.subarray(1));
  if (!message) throw malformed();
  return message;
}

/** The data is not copied here: the viewer puts it where the piece is put together. */
function decodeChunk(frame: Uint8Array | Uint8ArrayList): Message {
  const data = frame instanceof Uint8Array ? frame.subarray(1) : frame.sublist(1);
  if (data.byteLength === 0 || data.byteLength > CHUNK_BYTES) throw malformed();
  return { type: 'chunk', data };
}

function decodeBody(type: Exclude<MessageType, 'chunk'>, body: Uint8Array): Message | null {
  return isPacked(type) ? decodePacked(type, body) : decodeTuple(type, body);
}

function decodePacked(type: PackedType, body: Uint8Array): Message | null {
  const { number, bytes, fits } = PACKED[type];
  const [value, length] = leadingVarint(body);
  if (!isCount(value) || !fits(body.byteLength - length)) return null;
  // Copied: a view that is kept would keep the whole packet that it came in.
  const rest = bytes === null ? {} : { [bytes]: body.slice(length) };
  return { type, [number]: value, ...rest } as unknown as Message;
}

function decodeTuple(type: TupleType, body: Uint8Array): Message | null {
  const checks: [field: string, check: Check][] = Object.entries(TUPLES[type]);
  const values = decodedList(body, checks.length);
  if (!checks.every(([, check], i) => check(values[i]))) return null;
  return {
    type,
    ...Object.fromEntries(checks.map(([field], i) => [field, values[i]])),
  } as unknown as Message;
}

function isPacked(type: MessageType): type is PackedType {
  return type in PACKED;
}

function newVarint(value: number): Uint8Array {
  return new Uint8Array(varint.encodingLength(value));
}

function leadingVarint(body: Uint8Array): [value: number, byteLength: number] {
  try {
    return varint.decode(body);
  } catch (cause) {
    throw malformed(cause);
  }
}

function decodedList(body: Uint8Array, count: number): unknown[] {
  if (!hasAtMostItems(body, MAX_RECORD_ITEMS)) throw malformed();
  let value: unknown;
  try {
    value = dagCbor.decode(body);
  } catch (cause) {
    throw malformed(cause);
  }
  if (!Array.isArray(value) || value.length > count) throw malformed();
  return value;
}

function malformed(cause?: unknown): AceError {
  return new AceError('MessageMalformed', 'The peer sent a malformed message', {
    reaction: 'drop-peer',
    cause,
  });
}

/** A part of a piece as messages; it begins where a chunk begins. */
export function chunksOf(bytes: Uint8Array): Message[] {
  const chunks: Message[] = [];
  for (let offset = 0; offset < bytes.byteLength; offset += CHUNK_BYTES) {
    chunks.push({ type: 'chunk', data: bytes.subarray(offset, offset + CHUNK_BYTES) });
  }
  return chunks;
}

/** One name for a piece. */
export function pieceKey({ contentId, pieceIndex }: { contentId: string; pieceIndex: number }): string {
  return `${contentId}/${pieceIndex}`;
}
