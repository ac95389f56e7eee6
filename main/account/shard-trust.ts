/**
 * Which shards this node trusts: all, but those that told it two histories, or billed it units of which they have no
 * proof. Such a shard gets no new lease of this node's,
 * no channel that it leased is opened, and what it says of settlements and channels is not believed. What it owes is
 * still claimed: it may yet settle. The proof stays in the node's file, for anyone to check.
 *
 * There is no way back in the same folder. When the shard's operator has put both of its files back, it tells the first
 * history again, but its key has signed two, and what was booked here stands either way: no command forgets a proof.
 * To go on with that shard, its user copies wallet.json into a new data directory, which is the same account with
 * new books; the old directory goes on claiming what it holds whenever it is started.
 */

import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { DivergedShardRow } from '../db/node/diverged-shards.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';

export interface DistrustedShard {
  readonly shard: number;
  readonly sinceMs: number;
  /** What happened and what to do. */
  readonly message: string;
  /** The proof, in hex, for anyone to check; `null` where the older of two statements was not signed. */
  readonly proof: string | null;
}

export class ShardTrust {
  readonly #store: NodeStore;
  readonly #log: Log;
  /** The proof against each, by shard. */
  readonly #diverged: Map<number, DivergedShardRow>;

  constructor(store: NodeStore, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#diverged = new Map(store.divergedShards.all().map((row) => [row.shard, row]));
    for (const row of this.#diverged.values())
      log.error({ err: diverged(row), shard: row.shard }, 'a shard is not trusted');
  }

  has(shard: number): boolean {
    return !this.#diverged.has(shard);
  }

  /** The shards that are not trusted, with what to tell the user of each. */
  distrusted(): DistrustedShard[] {
    return [...this.#diverged.values()].map((row) => ({
      shard: row.shard,
      sinceMs: row.atMs,
      message: diverged(row).message,
      proof: row.proof && toHex(row.proof),
    }));
  }

  /** @throws AceError `ShardDiverged` */
  check(shard: number): void {
    const row = this.#diverged.get(shard);
    if (row) throw diverged(row);
  }

  /** From now on, and after every start. @throws AceError `StoreFailed` */
  lose(row: DivergedShardRow): void {
    this.#store.commit(() => this.#store.divergedShards.insert(row));
    this.#diverged.set(row.shard, row);
    this.#log.error(
      { err: diverged(row), shard: row.shard, kind: row.kind, proven: row.proof !== null },
      'a shard has cheated; it is not trusted any more',
    );
  }
}

const WHAT_IT_DID: Readonly<Record<DivergedShardRow['kind'], string>> = {
  histories: 'told two histories that cannot both be true',
  overbilled: 'billed more units than this account has revealed, and shows no tick for them',
};

function diverged({ shard, kind }: DivergedShardRow): AceError {
  return new AceError(
    'ShardDiverged',
    `Shard ${shard} ${WHAT_IT_DID[kind]}: it is not trusted any more, and gets no leases. What it owes is still claimed. Keep this data directory: the proof is in its node.db, and \`status --json\` prints it. Show it to whoever runs the shard; to go on with that shard, start with a new --data-dir and a copy of wallet.json`,
    { reaction: 'stop', details: { shard } },
  );
}
