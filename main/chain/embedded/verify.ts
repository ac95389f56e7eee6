/**
 * Proves a chain's file from its log: every record is bound to the one below it, and all of them, applied again to an
 * empty chain, give the same balances, pools, supply, totals, batches, prices and devices.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { sameBytes } from '../../../shared/bytes.ts';
import { decodeSignedOperation } from '../../../shared/economy/operation.ts';
import { isAceError } from '../../../shared/errors.ts';
import { toHex } from '../../../shared/hex.ts';
import { decodeBatch } from '../../../shared/settlement/batch.ts';
import { firstDifference } from '../../db/chain/compare.ts';
import type { LogRecord } from '../../db/chain/log.ts';
import { type ChainStore, openChainStore } from '../../db/chain/store.ts';
import { withStoreErrors } from '../../db/open.ts';
import type { MainChain } from '../port.ts';
import { type EmbeddedChain, type EmbeddedChainOptions, openEmbeddedChain } from './embedded-chain.ts';
import { checkHash, diverged, readGenesis } from './stored-chain.ts';

export interface VerifyOptions {
  /** The chain's file; another process may be writing to it. Its settings and genesis are those of its own log. */
  readonly path: string;
  /** What messages call the file, where it is a copy. */
  readonly name?: string;
  /** A file that does not exist yet: the chain is built again in it. The caller removes it. */
  readonly scratchPath: string;
  /**
   * Hash of a record that must be part of the history, 32 bytes: a history written anew is consistent, and lacks it.
   */
  readonly head?: Uint8Array;
  /** Called from time to time with the records done and the height to reach. */
  readonly onProgress?: (done: number, height: number) => void;
  /** More to hold the proved chain against. What it throws, verifying throws. */
  readonly compare?: (proved: MainChain) => Promise<void>;
}

export interface VerifiedChain {
  readonly networkId: string;
  readonly height: number;
  /** Hash of the last record. */
  readonly headHash: Uint8Array;
  readonly operations: number;
  readonly batches: number;
}

const PROGRESS_EVERY = 256;

/**
 * @throws AceError `ChainDiverged` (says where), `DataDirMismatch` (not a chain that this program knows),
 * `StoreFailed`
 */
export async function verifyChain(options: VerifyOptions): Promise<VerifiedChain> {
  const { path, name = path, scratchPath, head: expected, onProgress, compare } = options;
  const store = openChainStore(path, { snapshot: true, name });
  try {
    const height = withStoreErrors(() => store.log.head())?.height ?? 0;
    const { settings, genesis } = readGenesis(store);
    let atMs = recordAt(store, 0).appendedAtMs;
    const rebuilt = openRebuilt({ path: scratchPath, settings, genesis, nowMs: () => atMs });
    let batches = 0;
    let operations = 0;
    let containsExpected = expected === undefined;
    try {
      for (let at = 0; at <= height; at++) {
        const record = recordAt(store, at);
        atMs = record.appendedAtMs;
        await replay(store, rebuilt, record);
        if (record.kind === 'batch') batches++;
        else if (record.kind !== 'genesis') operations++;
        if (expected && sameBytes(record.hash, expected)) containsExpected = true;
        if (at % PROGRESS_EVERY === 0) onProgress?.(at, height);
      }
      await compare?.(rebuilt);
    } finally {
      await rebuilt.close();
    }
    const difference = withStoreErrors(() => firstDifference(store.db, scratchPath));
    if (difference) {
      const { rows, table } = difference;
      throw diverged(`${rows} ${rows === 1 ? 'row' : 'rows'} of its ${table} cannot follow from its log`);
    }
    if (!containsExpected) {
      throw diverged('no record of its log has the head that was given: it has another history');
    }
    return {
      networkId: settings.networkId,
      height,
      headHash: recordAt(store, height).hash,
      operations,
      batches,
    };
  } finally {
    store.db.close();
  }
}

/** A genesis that no chain begins with has a right hash only when the log was forged. */
function openRebuilt(options: EmbeddedChainOptions): EmbeddedChain {
  try {
    return openEmbeddedChain(options);
  } catch (cause) {
    if (!isAceError(cause, 'InvalidInput')) throw cause;
    throw diverged('record 0 (genesis) cannot be applied again', cause);
  }
}

async function replay(store: ChainStore, rebuilt: EmbeddedChain, record: LogRecord): Promise<void> {
  checkHash(record);
  try {
    if (record.kind === 'batch') await rebuilt.applyBatch(storedBatch(store, record));
    else if (record.kind !== 'genesis') await rebuilt.submit(signedOperation(record));
  } catch (cause) {
    if (isAceError(cause, 'ChainDiverged')) throw cause;
    throw diverged(`record ${record.height} (${record.kind}) cannot be applied again`, cause);
  }
  const { height, hash } = await rebuilt.head();
  if (height !== record.height || !sameBytes(hash, record.hash)) {
    throw diverged(`record ${record.height} (${record.kind}) gives another result when it is applied again`);
  }
}

function storedBatch(store: ChainStore, { bytes }: LogRecord) {
  const [shard, number] = dagCbor.decode(bytes) as [number, number];
  const stored = store.batches.get(shard, number);
  if (!stored) throw diverged(`batch ${number} of shard ${shard} is missing`);
  return { batch: decodeBatch(new Uint8Array(stored.bytes)), signature: new Uint8Array(stored.signature) };
}

function signedOperation({ bytes }: LogRecord) {
  const { operation, signature } = decodeSignedOperation(bytes);
  return { operation, signature: `0x${toHex(signature)}` as const };
}

function recordAt(store: ChainStore, height: number): LogRecord {
  const record = withStoreErrors(() => store.log.at(height));
  if (!record) throw diverged(`record ${height} of its log is missing`);
  return record;
}
