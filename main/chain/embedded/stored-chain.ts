/** Looks at a chain's file as it lies there: everything about it, and nothing but it, comes from the file. */
import { sameBytes } from '../../../shared/bytes.ts';
import { AceError } from '../../../shared/errors.ts';
import type { LogRecord } from '../../db/chain/log.ts';
import { type ChainStore, openChainStore } from '../../db/chain/store.ts';
import { withStoreErrors } from '../../db/open.ts';
import type { MainChain } from '../port.ts';
import { damageOf } from './damage.ts';
import { openChainSnapshot } from './embedded-chain.ts';
import { checkSupply } from './genesis.ts';
import { decodeGenesis, type GenesisRecord } from './genesis-record.ts';
import { hashRecord } from './log.ts';

/**
 * One unchanging picture of a chain whose sums are right. Another process may be running it. `name` is what messages call
 * the file, where it is a copy.
 * @throws AceError `InvariantViolated` and others (see {@link asDamage}), `DataDirMismatch`, and what `openDatabase` throws
 */
export function openStoredChain(path: string, name = path): MainChain {
  const record = readAndCheck(path, name);
  return openChainSnapshot({ path, ...record, nowMs: () => Date.now() });
}

/** When the last record was written. Another process may be running the chain. @throws what `openDatabase` throws */
export function headTimeMs(path: string): number {
  const store = openChainStore(path, { snapshot: true });
  try {
    return withStoreErrors(() => store.log.head(), path)?.appendedAtMs ?? 0;
  } finally {
    store.db.close();
  }
}

/**
 * Settings and genesis that the chain began with.
 * @throws AceError `ChainDiverged`, `DataDirMismatch`, `StoreFailed`
 */
export function readGenesis(store: ChainStore): GenesisRecord {
  const record = withStoreErrors(() => store.log.at(0));
  if (!record) throw diverged('record 0 of its log is missing');
  checkHash(record);
  return decodeGenesis(new Uint8Array(record.bytes));
}

/** @throws AceError `ChainDiverged` */
export function checkHash(record: LogRecord): void {
  if (sameBytes(hashRecord(record), record.hash)) return;
  throw diverged(`record ${record.height} of its log does not match its hash`);
}

export function diverged(what: string, cause?: unknown): AceError {
  return new AceError('ChainDiverged', `The chain cannot be trusted: ${what}`, { reaction: 'stop', cause });
}

/**
 * Runs what reads a chain's figures; figures that cannot be are told as damage of the file.
 * @throws AceError `ChainDiverged` (the file is damaged), and what `read` throws of another kind
 */
export async function asDamage<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw damageOf(path, error);
  }
}

function readAndCheck(path: string, name: string): GenesisRecord {
  const store = openChainStore(path, { snapshot: true, name });
  try {
    const record = readGenesis(store);
    withStoreErrors(() => checkSupply(store), name);
    return record;
  } finally {
    store.db.close();
  }
}
