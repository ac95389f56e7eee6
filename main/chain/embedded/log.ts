/** The chain's log: every record names the hash of the one below it, so no part of history can change alone. */
import { createHash } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import type { LogKind, LogQueries } from '../../db/chain/log.ts';

const NO_HASH = new Uint8Array(32);

/** Appends a record and returns its height. Belongs in the transaction of what it records. */
export function appendLog(log: LogQueries, kind: LogKind, bytes: Uint8Array, appendedAtMs: number): number {
  const head = log.head();
  const height = head ? head.height + 1 : 0;
  const previousHash = head ? new Uint8Array(head.hash) : NO_HASH;
  const hash = createHash('sha256')
    .update(dagCbor.encode([height, previousHash, kind, bytes]))
    .digest();
  log.append({ height, previousHash, kind, bytes, hash, appendedAtMs });
  return height;
}
