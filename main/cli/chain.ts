/**
 * `ace-node chain info` and `ace-node chain verify`: the main chain of a devnet, looked at and proved. Both need nothing
 * but its file, and leave the folder that it lies in as it was.
 */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import { asDamage, diverged, openStoredChain } from '../chain/embedded/stored-chain.ts';
import { type VerifiedChain, verifyChain } from '../chain/embedded/verify.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { openChainStore } from '../db/chain/store.ts';
import { stillFile } from '../db/still-file.ts';
import { openValidatorStore, type ValidatorStore } from '../db/validator/store.ts';
import { bookDifference } from '../validator/compare-books.ts';
import { describeInfo, readInfo } from './chain-info.ts';
import { createProgress } from './progress.ts';
import { checkReadable } from './readable.ts';

/** A devnet has one shard. */
const SHARD = 0;

export interface ChainVerifyOptions {
  readonly json: boolean;
  /** 64 hex digits. */
  readonly head?: string;
}

/** `ace-node chain info [--json]`. A validator may be running on the directory. @throws AceError `ChainDiverged`, … */
export async function chainInfoCommand(dataDir: string, json: boolean): Promise<void> {
  const path = chainFile(dataDir);
  const info = await withScratch((scratchDir) =>
    asDamage(path, async () => {
      const chain = openStoredChain(stillFile(path, scratchDir), path);
      try {
        return await readInfo(chain);
      } finally {
        await chain.close();
      }
    }),
  );
  process.stdout.write(`${json ? JSON.stringify(info, null, 2) : describeInfo(info)}\n`);
}

/**
 * `ace-node chain verify [--json] [--head HASH]`.
 * @throws AceError `ChainDiverged`, …; with `json` what went wrong is the answer, and the exit code is 1.
 */
export async function chainVerifyCommand(dataDir: string, { json, head }: ChainVerifyOptions): Promise<void> {
  const path = chainFile(dataDir);
  try {
    const { headHash, shardBatches, ...verified } = await withScratch((dir) => prove(path, dir, head));
    const hash = toHex(headHash);
    if (json) {
      const { networkId, height, operations, batches } = verified;
      const answer = { verified: true, networkId, height, headHash: hash, operations, batches };
      process.stdout.write(`${JSON.stringify({ ...answer, head: head ?? null, shardBatches }, null, 2)}\n`);
      return;
    }
    process.stdout.write(
      [
        `Verified: ${verified.operations} operations and ${verified.batches} batches, applied again, give the same books.`,
        ...(shardBatches === null
          ? []
          : [`The book of the shard beside it (shard 0) agrees: ${shardBatches} batches of its own.`]),
        `Network      ${verified.networkId}`,
        `Head         ${verified.height}, ${hash}`,
        head === undefined
          ? `Note the head: with --head ${hash} a later verify proves that this history is still a part of it.`
          : `The head ${head} is part of this history.`,
        '',
      ].join('\n'),
    );
  } catch (error) {
    if (!json || !(error instanceof AceError)) throw error;
    process.stdout.write(`${JSON.stringify({ verified: false, why: error.message }, null, 2)}\n`);
    process.exitCode = 1;
  }
}

/** `shardBatches`: how many batches of the validator's book beside it were compared; `null` when there is none. */
async function prove(
  path: string,
  scratchDir: string,
  head: string | undefined,
): Promise<VerifiedChain & { readonly shardBatches: number | null }> {
  const bookPath = new DataDir(dirname(path)).validatorDb;
  const readBook = async <T>(read: (book: ValidatorStore) => T): Promise<Awaited<T>> => {
    const book = openValidatorStore(stillFile(bookPath, scratchDir), { snapshot: true, name: bookPath });
    try {
      return await read(book);
    } finally {
      book.close();
    }
  };
  const before = existsSync(bookPath)
    ? await readBook((book) => ({ end: book.batches.last() })).catch((error: unknown) => {
        // A chain that cannot be opened says more: no start brings the book beside it up to date.
        openChainStore(stillFile(path, scratchDir), { snapshot: true, name: path }).db.close();
        throw error;
      })
    : null;
  let shardBatches: number | null = null;
  const progress = createProgress(
    'Verifying',
    process.stderr,
    (records) => `${records.toLocaleString('en')} records`,
  );
  try {
    const verified = await verifyChain({
      path: stillFile(path, scratchDir),
      name: path,
      scratchPath: join(scratchDir, 'again.db'),
      ...(head !== undefined && { head: fromHex(head) }),
      onProgress: (done, all) => progress.update(done, all),
      compare: async (proved) => {
        if (!before) return;
        const difference = await readBook((book) => bookDifference(proved, SHARD, before.end, book));
        if (difference) throw diverged(difference);
        shardBatches = (await proved.lastBatch(SHARD)).number;
      },
    });
    return { ...verified, shardBatches };
  } finally {
    progress.end();
  }
}

/** Runs `use` with an empty folder that is gone afterwards. */
async function withScratch<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'ace-node-chain-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Of a validator's directory, or a node's that runs its own devnet. */
function chainFile(dataDir: string): string {
  checkReadable(dataDir);
  const own = new DataDir(dataDir);
  const devnet = new DataDir(own.validatorDir);
  const found = [own.chainDb, devnet.chainDb].find((path) => existsSync(path));
  if (found) return found;
  throw new AceError(
    'FileMissing',
    `There is no main chain in ${dataDir}: a node's own devnet and ace-node validator have one`,
  );
}
