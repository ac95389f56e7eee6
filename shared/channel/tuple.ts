import * as dagCbor from '@ipld/dag-cbor';
import { hasAtMostItems, MAX_RECORD_ITEMS } from '../bounded-cbor.ts';
import { sameBytes } from '../bytes.ts';
import { AceError } from '../errors.ts';

/**
 * Decodes a tuple, tagged unless `tag` is null, and refuses any other encoding of it, so that one record has one hash.
 * @throws AceError `MessageMalformed`
 */
export function tuple(
  bytes: Uint8Array,
  tag: string | null,
  length: number,
  what: string,
): readonly unknown[] {
  const bad = (cause?: unknown) =>
    new AceError('MessageMalformed', `The ${what} is malformed`, { reaction: 'drop-peer', cause });
  if (!hasAtMostItems(bytes, MAX_RECORD_ITEMS)) throw bad();
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch (error) {
    throw bad(error);
  }
  if (!Array.isArray(value) || value.length !== length || (tag !== null && value[0] !== tag)) throw bad();
  if (!sameBytes(dagCbor.encode(value), bytes)) throw bad();
  return value;
}

export function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength === length;
}
