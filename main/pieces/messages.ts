/**
 * Messages of a piece-exchange stream: one byte of type, then the body.
 *
 * What is sent for every piece is packed by hand, because each of its bytes is overhead on every MiB; the rest is
 * dag-cbor. Everything decoded here came from a stranger.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { varint } from 'multiformats';
import { Uint8ArrayList } from 'uint8arraylist';
import { isBytes } from '../../shared/channel/tuple.ts';
import { isCount } from '../../shared/count.ts';
import { CHUNK_BYTES, PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';

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
  /** Provider: a piece follows. `ackedUnits` are durably booked. */
  | {
      readonly type: 'piece';
      readonly id: number;
      readonly ackedUnits: number;
      readonly chunkHashes: Uint8Array;
    }
  | { readonly type: 'chunk'; readonly data: Uint8Array | Uint8ArrayList }
  | { readonly type: 'ack'; readonly units: number }
  /** Provider: this request is not served. `id` 0 means the channel that was to be opened. */
  | { readonly type: 'refused'; readonly id: number; readonly code: string }
  /** Viewer: no longer wants what it asked for. Refused with `Withdrawn` if it waits still, served if it does not. */
  | { readonly type: 'withdraw'; readonly id: number }
  /** Viewer: asks which pieces the provider has, now and as they become more. */
  | { readonly type: 'interest'; readonly contentId: string }
  /** Provider: a bit for each piece, lowest first; none at all when it has every piece. */
  | { readonly type: 'have'; readonly contentId: string; readonly bitmap: Uint8Array }
  /** Viewer: asks for the transport file of a content and, unless `id` is 0, for one of its pieces along with it. */
  | { readonly type: 'ask'; readonly id: number; readonly contentId: string; readonly pieceIndex: number }
  /** Provider: the transport file, empty when it has none or one that is too long for a message. */
  | { readonly type: 'transport'; readonly contentId: string; readonly bytes: Uint8Array };

export type MessageType = Message['type'];

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
  'ack',
  'refused',
  'withdraw',
  'interest',
  'have',
  'ask',
  'transport',
];

const HASH_BYTES = 32;
const MAX_CONTENT_ID = 120;
const MAX_CHUNKS = PIECE_BYTES / CHUNK_BYTES;

/** Messages that exist because of payment; the others would be there without. */
export const PAYMENT_TYPES: ReadonlySet<MessageType> = new Set([
  'open',
  'opened',
  'tick',
  'checkpoint',
  'countersigned',
  'ack',
]);

export function encodeMessage(message: Message): Uint8ArrayList<ArrayBufferLike> {
  const list = new Uint8ArrayList<ArrayBufferLike>(Uint8Array.of(TYPES.indexOf(message.type)));
  switch (message.type) {
    case 'tick':
      list.append(packed(message.index));
      list.append(message.tick);
      break;
    case 'piece':
      list.append(packed(message.id, message.ackedUnits));
      list.append(message.chunkHashes);
      break;
    case 'chunk':
      list.append(message.data);
      break;
    case 'ack':
      list.append(packed(message.units));
      break;
    case 'hello':
      list.append(dagCbor.encode([message.certificate]));
      break;
    case 'welcome':
      list.append(dagCbor.encode([message.certificate, message.free]));
      break;
    case 'open':
      list.append(dagCbor.encode([message.terms, message.termsSignature, message.leaseSignature]));
      break;
    case 'opened':
      list.append(dagCbor.encode([message.paidUnits, message.servedBytes]));
      break;
    case 'request':
      list.append(dagCbor.encode([message.id, message.contentId, message.pieceIndex]));
      break;
    case 'checkpoint':
      list.append(dagCbor.encode([message.record, message.signature]));
      break;
    case 'countersigned':
      list.append(dagCbor.encode([message.channelId, message.number, message.signature]));
      break;
    case 'refused':
      list.append(dagCbor.encode([message.id, message.code]));
      break;
    case 'withdraw':
      list.append(packed(message.id));
      break;
    case 'interest':
      list.append(dagCbor.encode([message.contentId]));
      break;
    case 'have':
      list.append(dagCbor.encode([message.contentId, message.bitmap]));
      break;
    case 'ask':
      list.append(dagCbor.encode([message.id, message.contentId, message.pieceIndex]));
      break;
    case 'transport':
      list.append(dagCbor.encode([message.contentId, message.bytes]));
      break;
    default:
      message satisfies never;
  }
  return list;
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
  switch (type) {
    case 'tick': {
      const [[index], tick] = unpack(body, 1);
      // Copied: a channel keeps it, and it would keep the whole packet that it came in.
      return isCount(index) && tick.byteLength === HASH_BYTES ? { type, index, tick: tick.slice() } : null;
    }
    case 'piece': {
      const [[id, ackedUnits], chunkHashes] = unpack(body, 2);
      const whole =
        chunkHashes.byteLength % HASH_BYTES === 0 && chunkHashes.byteLength <= MAX_CHUNKS * HASH_BYTES;
      return isCount(id) && isCount(ackedUnits) && whole ? { type, id, ackedUnits, chunkHashes } : null;
    }
    case 'ack': {
      const [[units], rest] = unpack(body, 1);
      return isCount(units) && rest.byteLength === 0 ? { type, units } : null;
    }
    case 'hello': {
      const [certificate] = fields(body, 1);
      return certificate instanceof Uint8Array ? { type, certificate } : null;
    }
    case 'welcome': {
      const [certificate, free] = fields(body, 2);
      return certificate instanceof Uint8Array && typeof free === 'boolean'
        ? { type, certificate, free }
        : null;
    }
    case 'open': {
      const [terms, termsSignature, leaseSignature] = fields(body, 3);
      const valid = terms instanceof Uint8Array && isBytes(termsSignature, 64) && isBytes(leaseSignature, 64);
      return valid ? { type, terms, termsSignature, leaseSignature } : null;
    }
    case 'opened': {
      const [paidUnits, servedBytes] = fields(body, 2);
      return isCount(paidUnits) && isCount(servedBytes) ? { type, paidUnits, servedBytes } : null;
    }
    case 'request': {
      const [id, contentId, pieceIndex] = fields(body, 3);
      const valid = isCount(id) && id > 0 && isContentId(contentId) && isCount(pieceIndex);
      return valid ? { type, id, contentId, pieceIndex } : null;
    }
    case 'checkpoint': {
      const [record, signature] = fields(body, 2);
      return record instanceof Uint8Array && isBytes(signature, 64) ? { type, record, signature } : null;
    }
    case 'countersigned': {
      const [channelId, number, signature] = fields(body, 3);
      const valid = isBytes(channelId, HASH_BYTES) && isCount(number) && isBytes(signature, 64);
      return valid ? { type, channelId, number, signature } : null;
    }
    case 'refused': {
      const [id, code] = fields(body, 2);
      return isCount(id) && typeof code === 'string' && /^[A-Za-z]{1,40}$/.test(code)
        ? { type, id, code }
        : null;
    }
    case 'withdraw': {
      const [[id], rest] = unpack(body, 1);
      return isCount(id) && rest.byteLength === 0 ? { type, id } : null;
    }
    case 'interest': {
      const [contentId] = fields(body, 1);
      return isContentId(contentId) ? { type, contentId } : null;
    }
    case 'have': {
      const [contentId, bitmap] = fields(body, 2);
      return isContentId(contentId) && bitmap instanceof Uint8Array ? { type, contentId, bitmap } : null;
    }
    case 'ask': {
      const [id, contentId, pieceIndex] = fields(body, 3);
      return isCount(id) && isContentId(contentId) && isCount(pieceIndex)
        ? { type, id, contentId, pieceIndex }
        : null;
    }
    case 'transport': {
      const [contentId, bytes] = fields(body, 2);
      return isContentId(contentId) && bytes instanceof Uint8Array ? { type, contentId, bytes } : null;
    }
    default:
      return type satisfies never;
  }
}

function isContentId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_CONTENT_ID;
}

function packed(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.reduce((total, n) => total + varint.encodingLength(n), 0));
  let offset = 0;
  for (const n of numbers) {
    varint.encodeTo(n, bytes, offset);
    offset += varint.encodingLength(n);
  }
  return bytes;
}

function unpack(body: Uint8Array, count: number): [numbers: number[], rest: Uint8Array] {
  const numbers: number[] = [];
  let rest = body;
  try {
    for (let i = 0; i < count; i++) {
      const [value, length] = varint.decode(rest);
      numbers.push(value);
      rest = rest.subarray(length);
    }
  } catch (cause) {
    throw malformed(cause);
  }
  return [numbers, rest];
}

function fields(body: Uint8Array, count: number): unknown[] {
  let value: unknown;
  try {
    value = dagCbor.decode(body);
  } catch (cause) {
    throw malformed(cause);
  }
  if (!Array.isArray(value) || value.length !== count) throw malformed();
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
