/**
 * Proves a chain's file from its log: every record is bound to the one below it, and all of them, applied again to an
 * empty chain, give the same balances, pools, supply, totals, batches, prices and devices.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { decodeBatch } from '../../../shared/batch.ts';
import { AceError } from '../../../shared/errors.ts';
import { decodeSignedOperation } from '../../../shared/operation.ts';
import type { Genesis, NetworkSettings } from '../../../shared/settings.ts';
import { firstDifference } from '../../db/chain/compare.ts';
import type { LogRecord } from '../../db/chain/log.ts';
import { type ChainStore, openChainStore } from '../../db/chain/store.ts';
import { withStoreErrors } from '../../db/open.ts';
import type { MainChain } from '../port.ts';
import { openEmbeddedChain } from './embedded-chain.ts';
import { checkGenesis } from './genesis.ts';
import { hashRecord } from './log.ts';

export interface VerifyOptions {
  /** The chain's file; another process may be writing to it. */
  readonly path: string;
  readonly settings: NetworkSettings;
  readonly genesis: Genesis;
  /** A file that does not exist yet: the chain is built again in it. The caller removes it. */
  readonly scratchPath: string;
  /** Called from time to time with the records done and the height to reach. */
  readonly onProgress?: (done: number, height: number) => void;
}

export interface VerifiedChain {
  readonly height: number;
  /** Hash of the last record. */
  readonly headHash: Uint8Array;
  readonly operations: number;
  readonly batches: number;
}

const PROGRESS_EVERY = 256;

/** @throws AceError `ChainDiverged` (says where), `DataDirMismatch` (other settings or genesis), `StoreFailed` */
export async function verifyChain(options: VerifyOptions): Promise<VerifiedChain> {
  const { path, settings, genesis, scratchPath, onProgress } = options;
  const store = openChainStore(path, { snapshot: true });
  try {
    const head = withStoreErrors(() => store.log.head());
    checkGenesis(store, settings, genesis);
    const height = head?.height ?? 0;
    let atMs = recordAt(store, 0).appendedAtMs;
    const rebuilt = openEmbeddedChain({ path: scratchPath, settings, genesis, nowMs: () => atMs });
    let batches = 0;
    try {
      for (let at = 0; at <= height; at++) {
        const record = recordAt(store, at);
        atMs = record.appendedAtMs;
        await replay(store, rebuilt, record);
        if (record.kind === 'batch') batches++;
        if (at % PROGRESS_EVERY === 0) onProgress?.(at, height);
      }
    } finally {
      await rebuilt.close();
    }
    const difference = withStoreErrors(() => firstDifference(store.db, scratchPath));
    if (difference) {
      throw diverged(`${difference.rows} rows of its ${difference.table} do not follow from its log`);
    }
    return { height, headHash: recordAt(store, height).hash, operations: height - batches, batches };
  } finally {
    store.db.close();
  }
}

async function replay(store: ChainStore, rebuilt: MainChain, record: LogRecord): Promise<void> {
  if (Buffer.compare(hashRecord(record), record.hash) !== 0) {
    throw diverged(`record ${record.height} of its log does not match its hash`);
  }
  try {
    if (record.kind === 'batch') await rebuilt.applyBatch(storedBatch(store, record));
    else if (record.kind !== 'genesis') await rebuilt.submit(signedOperation(record));
  } catch (cause) {
    throw diverged(`record ${record.height} (${record.kind}) cannot be applied again`, cause);
  }
  const { height, hash } = await rebuilt.head();
  if (height !== record.height || Buffer.compare(hash, record.hash) !== 0) {
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
  return { operation, signature: `0x${Buffer.from(signature).toString('hex')}` as const };
}

function recordAt(store: ChainStore, height: number): LogRecord {
  const record = withStoreErrors(() => store.log.at(height));
  if (!record) throw diverged(`record ${height} of its log is missing`);
  return record;
}

function diverged(what: string, cause?: unknown): AceError {
  return new AceError('ChainDiverged', `The chain cannot be trusted: ${what}`, { reaction: 'stop', cause });
}
