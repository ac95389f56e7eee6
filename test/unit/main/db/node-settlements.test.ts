import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { first } from '../../../../main/db/node/migrations/0001-first.ts';
import type { NewSettlement } from '../../../../main/db/node/settlements.ts';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { openDatabase } from '../../../../main/db/open.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { testAddress } from '../../../helpers/chain.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

function row(shard: number, shardSeq: number): NewSettlement {
  return {
    shard,
    shardSeq,
    batchNumber: 7,
    batchHash: new Uint8Array(32),
    atMs: 1_000,
    direction: 'earned',
    counterparty: testAddress(1),
    paidUnits: 3,
    creditUnits: 0,
    refusedUnits: 0,
    repaidUnits: 0,
    grossXac: 10n,
    feeXac: 1n,
    xatBurned: 0n,
    xasPaid: 0n,
    feeXas: 0n,
    price: ratio(1, 3),
    signature: null,
    detail: null,
  };
}

describe('settlements', () => {
  it('of the first schema keep their place in the history, and their shard’s number', () => {
    const path = join(tempDir(), 'node.db');
    const old = openDatabase({ path, role: 'node', migrations: [first] });
    const insert = old.prepare(
      `INSERT INTO settlements VALUES (?, 0, 7, zeroblob(32), 1000, 'earned', ?, 3, 0, 0, 0, 10, 1, 0, 0, 0, '1', '3')`,
    );
    for (const seq of [1, 2, 5]) insert.run(seq, testAddress(1));
    old.close();
    const store = openNodeStore(path);
    expect(store.settlements.lastSeq(0)).toBe(5);
    expect(store.settlements.page(99, 9).map(({ seq, shardSeq }) => [seq, shardSeq])).toEqual([
      [5, 5],
      [2, 2],
      [1, 1],
    ]);
    // What the shard tells again is there already.
    expect(store.settlements.insert(row(0, 5))).toBeNull();
    expect(store.settlements.insert(row(0, 6))).toEqual({ ...row(0, 6), seq: 6 });
    store.close();
  });

  it('of many shards make one history, in the order in which they were told', () => {
    const store = openNodeStore(join(tempDir(), 'node.db'));
    for (const [shard, shardSeq] of [
      [2, 1],
      [0, 1],
      [2, 2],
      [0, 1],
      [1, 1],
    ] as const) {
      store.settlements.insert(row(shard, shardSeq));
    }
    expect(store.settlements.count()).toBe(4);
    expect([0, 1, 2, 3].map((shard) => store.settlements.lastSeq(shard))).toEqual([1, 1, 2, 0]);
    const page = store.settlements.page(4, 9);
    expect(page.map(({ seq, shard, shardSeq }) => [seq, shard, shardSeq])).toEqual([
      [3, 2, 2],
      [2, 0, 1],
      [1, 2, 1],
    ]);
    const { earned } = store.settlementHistory.sums({}, 0, 4);
    expect(earned.paidUnits + earned.creditUnits + earned.refusedUnits).toBe(12n);
    store.close();
  });
});
