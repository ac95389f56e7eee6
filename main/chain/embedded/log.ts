/** The chain's log: every record names the hash of the one below it, so no part of history can change alone. */
import { createHash } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import type { LogKind, LogQueries, LogRecord } from '../../db/chain/log.ts';

const NO_HASH = new Uint8Array(32);

/** The time of the next record: the clock's, but always later than the record before. */
export function nextTimeMs(log: LogQueries, nowMs: number): number {
  const head = log.head();
  return head ? Math.max(nowMs, head.appendedAtMs + 1) : nowMs;
}

/** Appends a record and returns its height. Belongs in the transaction of what it records. */
export function appendLog(log: LogQueries, kind: LogKind, bytes: Uint8Array, atMs: number): number {
  const head = log.head();
  const height = head ? head.height + 1 : 0;
  const previousHash = head ? new Uint8Array(head.hash) : NO_HASH;
  const record = { height, previousHash, kind, bytes, appendedAtMs: atMs };
  log.append({ ...record, hash: hashRecord(record) });
  return height;
}

/** SHA-256 of a record, which binds everything before it. */
export function hashRecord(record: Omit<LogRecord, 'hash'>): Uint8Array {
  const { height, previousHash, appendedAtMs, kind, bytes } = record;
  return createHash('sha256')
    .update(dagCbor.encode([height, previousHash, appendedAtMs, kind, bytes]))
    .digest();
}
