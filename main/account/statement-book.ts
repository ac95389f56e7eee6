/** Books what a shard says it settled, each statement held against those that are booked already. */

import { AceError } from '../../shared/errors.ts';
import { fromHex } from '../../shared/hex.ts';
import {
  contradict,
  encodeShardProof,
  encodeStatement,
  type SignedStatement,
  type Statement,
} from '../../shared/settlement/statement.ts';
import type { DivergedShardRow } from '../db/node/diverged-shards.ts';
import type { NewSettlement, SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import { bookSettlement } from '../journal/records.ts';
import { verifyDevice } from '../wallet/device.ts';

export interface StatementBookContext {
  readonly store: NodeStore;
  readonly networkId: string;
  /** Raw Ed25519 keys by shard, in hex. */
  readonly validatorKeys: readonly string[];
  /** This node's account, lower case. */
  readonly account: string;
  readonly nowMs: () => number;
}

export interface BookedStatements {
  /** Rows that were new, oldest first. */
  readonly added: readonly SettlementRow[];
  /** The shard told two histories: then nothing is booked. */
  readonly diverged: DivergedShardRow | null;
}

class Contradiction extends Error {
  readonly earlier: NewSettlement;
  readonly later: NewSettlement;

  constructor(earlier: NewSettlement, later: NewSettlement) {
    super('a shard contradicts itself');
    this.earlier = earlier;
    this.later = later;
  }
}

export class StatementBook {
  readonly #context: StatementBookContext;

  constructor(context: StatementBookContext) {
    this.#context = context;
  }

  /** Takes rows of one shard, in order. @throws AceError `InvalidSignature`, `MessageMalformed`, `StoreFailed` */
  book(rows: readonly NewSettlement[]): BookedStatements {
    const { store, nowMs } = this.#context;
    for (const row of rows) this.#checkSignature(row);
    try {
      const added = store.commit(() => rows.flatMap((row) => this.#insert(row) ?? []));
      return { added, diverged: null };
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      const [earlier, later] = [this.signed(error.earlier), this.signed(error.later)];
      const proof = earlier && later && encodeShardProof(earlier, later);
      return { added: [], diverged: { shard: error.later.shard, kind: 'histories', proof, atMs: nowMs() } };
    }
  }

  #insert(row: NewSettlement): SettlementRow | null {
    const { store } = this.#context;
    for (const earlier of store.settlements.near(row)) {
      if (contradict(this.#place(earlier), this.#place(row))) throw new Contradiction(earlier, row);
    }
    const added = bookSettlement(store, row);
    if (added?.direction !== 'paid') return added;
    for (const { channelId, units } of added.detail?.channels ?? [])
      store.billedChannels.add(channelId, units);
    return added;
  }

  /** A row as its shard signed it; `null` for one of the time before statements were signed. */
  signed(row: NewSettlement): SignedStatement | null {
    return row.signature && { record: this.#place(row).record, signature: row.signature };
  }

  #checkSignature(row: NewSettlement): void {
    const key = this.#context.validatorKeys[row.shard];
    const signed = this.signed(row);
    if (!key || !signed || !verifyDevice(fromHex(key), signed.record, signed.signature)) {
      throw new AceError('InvalidSignature', `Shard ${row.shard} told a statement that it did not sign`, {
        reaction: 'drop-peer',
      });
    }
  }

  #place(row: NewSettlement): Statement & { readonly record: Uint8Array } {
    const { networkId, account } = this.#context;
    const statement = { ...row, seq: row.shardSeq, networkId, account };
    return { ...statement, record: encodeStatement(statement) };
  }
}
