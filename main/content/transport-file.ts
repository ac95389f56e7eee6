/**
 * The transport file: what a content is. dag-cbor, signed by the broadcaster's device; its CID is the content id.
 *
 * A piece's hash is the SHA-256 of the SHA-256s of its 64 KiB chunks, so a viewer can check chunk by chunk.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { hasAtMostItems, MAX_RECORD_ITEMS } from '../../shared/bounded-cbor.ts';
import { isBytes, tuple } from '../../shared/channel/tuple.ts';
import { isCount } from '../../shared/count.ts';
import { isDeviceKey } from '../../shared/device-key.ts';
import {
  type AccessTerms,
  areFileTerms,
  plainTerms,
  termsFromPlain,
} from '../../shared/economy/access-terms.ts';
import { CHUNK_BYTES, pieceCount } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { withoutInvisible } from '../../shared/typed/invisible.ts';
import { sha256 } from '../util/sha256.ts';
import { type DeviceIdentity, devicePublicKey, isSignedBy } from '../wallet/device.ts';

export interface TransportFile {
  readonly name: string;
  readonly kind: 'vod';
  readonly mimeType: string;
  readonly sizeBytes: number;
  /** 0 when unknown. */
  readonly durationMs: number;
  /** SHA-256 per piece. */
  readonly pieceHashes: readonly Uint8Array[];
  /** Ed25519 key of the device that signed it. */
  readonly broadcaster: Uint8Array;
  /** What access costs; left out where it costs nothing. */
  readonly access?: AccessTerms;
}

/** A live broadcast has no pieces: its segments are contents of their own, which its broadcaster names one by one. */
export interface BroadcastFile {
  readonly name: string;
  readonly kind: 'live';
  readonly mimeType: string;
  /** When it was made: two broadcasts of one name are two. */
  readonly startedAtMs: number;
  /** Ed25519 key of the device that signed it, and that signs the records of its segments. */
  readonly broadcaster: Uint8Array;
  /** What access costs at its beginning: its records carry the prices since. Left out where it costs nothing. */
  readonly access?: AccessTerms;
}

/** Of a body, without the terms of access, which come last where there are some. */
const LIVE_FIELDS = 5;
const WHOLE_FIELDS = 7;
const HASH_BYTES = 32;
const SHA2_256 = 0x12;
const TAG = 'ace-transport-1';
/** 64 GiB: its transport file has 2 MiB of hashes. */
export const MAX_CONTENT_BYTES = 64 * 1024 ** 3;
export const MAX_TRANSPORT_BYTES = 2 * 1024 ** 2 + 65_536;
const MAX_NAME_LENGTH = 255;

/** A name is shown and used as a file name; it never leads out of a folder. */
export function isContentName(name: unknown): name is string {
  return (
    typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME_LENGTH && !/[/\\\0]/.test(name)
  );
}

/** Whether there is anything to watch in it: only what has a time of play can count for the traffic of an hour. */
export function isMedia({ mimeType, durationMs }: Pick<TransportFile, 'mimeType' | 'durationMs'>): boolean {
  return /^(video|audio)\//.test(mimeType) && durationMs > 0;
}

/** Signs a transport file. The bytes are what is stored and sent; the CID names them. */
export function makeTransportFile(
  file: Omit<TransportFile, 'broadcaster'>,
  device: DeviceIdentity,
): { contentId: string; bytes: Uint8Array } {
  const body = encodeBody({ ...file, broadcaster: device.publicKey });
  const bytes = dagCbor.encode([TAG, body, device.sign(body)]);
  return { contentId: contentIdOf(bytes), bytes };
}

/** Signs the transport file of a broadcast. */
export function makeBroadcastFile(
  {
    name,
    mimeType,
    startedAtMs,
    access,
  }: Pick<BroadcastFile, 'name' | 'mimeType' | 'startedAtMs' | 'access'>,
  device: DeviceIdentity,
): { contentId: string; bytes: Uint8Array } {
  const body = dagCbor.encode([
    name,
    'live',
    mimeType,
    startedAtMs,
    device.publicKey,
    ...plainAccess(access),
  ]);
  const bytes = dagCbor.encode([TAG, body, device.sign(body)]);
  return { contentId: contentIdOf(bytes), bytes };
}

/** CIDv1, dag-cbor, SHA-256, base32 lower case. */
export function contentIdOf(bytes: Uint8Array): string {
  return CID.createV1(dagCbor.code, Digest.create(SHA2_256, sha256(bytes))).toString();
}

/**
 * Takes a content id as people paste it: bare, or as an `ace:` or `acestream:` link.
 * @throws AceError `InvalidContentId`
 */
export function parseContentId(text: string): string {
  const bare = withoutInvisible(text)
    .trim()
    .replace(/^["'](.*)["']$/, '$1')
    .replace(/^(ace|acestream):(\/\/)?/i, '')
    .toLowerCase();
  try {
    const cid = CID.parse(bare);
    if (cid.version === 1 && cid.code === dagCbor.code && cid.multihash.code === SHA2_256)
      return cid.toString();
  } catch (cause) {
    throw new AceError('InvalidContentId', `"${text}" is not a content id such as bafy…`, { cause });
  }
  throw new AceError('InvalidContentId', `"${text}" is not the id of a content of this network`);
}

/**
 * Reads and verifies a transport file that should be `contentId`.
 * @throws AceError `TransportFileInvalid`, `ContentIsLive`
 */
export function readTransportFile(contentId: string, bytes: Uint8Array): TransportFile {
  const file = readAnyTransportFile(contentId, bytes);
  if (file.kind === 'live') {
    throw new AceError('ContentIsLive', `"${file.name}" is a live broadcast: it can be watched, not fetched`);
  }
  return file;
}

/** The same for a content that may be live. @throws AceError `TransportFileInvalid` */
export function readAnyTransportFile(contentId: string, bytes: Uint8Array): TransportFile | BroadcastFile {
  if (bytes.byteLength > MAX_TRANSPORT_BYTES) throw invalid('it is too large');
  if (contentIdOf(bytes) !== contentId) throw invalid('its hash is not the content id');
  const [, body, signature] = readTuple(bytes, TAG, 3);
  if (!(body instanceof Uint8Array) || !isBytes(signature, 64)) throw invalid('it is malformed');
  const file = decodeBody(body);
  if (!isSignedBy(devicePublicKey(file.broadcaster), body, signature))
    throw invalid('its signature is wrong');
  return file;
}

/** Hash of a piece out of its chunks' hashes. */
export function pieceHash(chunkHashes: Uint8Array): Uint8Array {
  return sha256(chunkHashes);
}

/** The chunks' SHA-256s of a piece, one after another. */
export function chunkHashesOf(piece: Uint8Array): Uint8Array {
  const hashes = new Uint8Array(Math.ceil(piece.byteLength / CHUNK_BYTES) * HASH_BYTES);
  for (let i = 0; i * CHUNK_BYTES < piece.byteLength; i++) {
    hashes.set(sha256(piece.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)), i * HASH_BYTES);
  }
  return hashes;
}

function encodeBody(file: TransportFile): Uint8Array {
  return dagCbor.encode([
    file.name,
    file.kind,
    file.mimeType,
    file.sizeBytes,
    file.durationMs,
    Buffer.concat(file.pieceHashes),
    file.broadcaster,
    ...plainAccess(file.access),
  ]);
}

/** A file without terms keeps the bytes that it always had. */
function plainAccess(access: AccessTerms | undefined): unknown[] {
  return access ? [plainTerms(access)] : [];
}

function decodeBody(body: Uint8Array): TransportFile | BroadcastFile {
  const count = fieldCount(body);
  const isSold = count === LIVE_FIELDS + 1 || count === WHOLE_FIELDS + 1;
  const fields = readTuple(body, null, count ?? WHOLE_FIELDS);
  const plain = isSold ? fields.slice(0, -1) : fields;
  const access = isSold ? termsFromPlain(fields.at(-1)) : undefined;
  if (access === null) throw invalid('its terms of access are malformed');
  if (plain.length === LIVE_FIELDS) return { ...liveFile(plain), ...(access && { access }) };
  if (plain.length !== WHOLE_FIELDS) throw invalid('it is malformed');
  if (access && !areFileTerms(access)) throw invalid('its terms of access are not those of a file');
  return { ...wholeFile(plain), ...(access && { access }) };
}

function fieldCount(body: Uint8Array): number | null {
  if (!hasAtMostItems(body, MAX_RECORD_ITEMS)) throw invalid('it is malformed');
  try {
    const fields: unknown = dagCbor.decode(body);
    return Array.isArray(fields) ? fields.length : null;
  } catch (cause) {
    throw invalid('it is malformed', cause);
  }
}

function liveFile([name, kind, mimeType, startedAtMs, broadcaster]: readonly unknown[]): BroadcastFile {
  if (!isContentName(name)) throw invalid('its name is malformed or has a path in it');
  if (kind !== 'live') throw invalid('its kind is unknown');
  if (!isMimeType(mimeType)) throw invalid('its MIME type is malformed');
  if (!isCount(startedAtMs)) throw invalid('its time is malformed');
  if (!isDeviceKey(broadcaster)) throw invalid('its broadcaster is malformed');
  return { name, kind, mimeType, startedAtMs, broadcaster };
}

function wholeFile(fields: readonly unknown[]): TransportFile {
  const [name, kind, mimeType, sizeBytes, durationMs, hashes, broadcaster] = fields;
  if (!isContentName(name)) throw invalid('its name is malformed or has a path in it');
  if (kind !== 'vod') throw invalid('its kind is unknown');
  if (!isMimeType(mimeType)) throw invalid('its MIME type is malformed');
  if (!isCount(sizeBytes) || sizeBytes === 0 || sizeBytes > MAX_CONTENT_BYTES)
    throw invalid('its size is out of range');
  if (!isCount(durationMs)) throw invalid('its duration is malformed');
  if (!isDeviceKey(broadcaster)) throw invalid('its broadcaster is malformed');
  if (!(hashes instanceof Uint8Array) || hashes.byteLength !== pieceCount(sizeBytes) * HASH_BYTES) {
    throw invalid('it has not one hash per piece');
  }
  const pieceHashes = Array.from({ length: pieceCount(sizeBytes) }, (_, i) =>
    hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
  return { name, kind, mimeType, sizeBytes, durationMs, pieceHashes, broadcaster };
}

function isMimeType(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.+-]+\/[\w.+-]+$/.test(value);
}

function readTuple(bytes: Uint8Array, tag: string | null, length: number): readonly unknown[] {
  try {
    return tuple(bytes, tag, length, 'transport file');
  } catch (cause) {
    throw invalid('it is malformed', cause);
  }
}

function invalid(why: string, cause?: unknown): AceError {
  return new AceError('TransportFileInvalid', `The transport file is invalid: ${why}`, {
    reaction: 'drop-peer',
    cause,
  });
}
