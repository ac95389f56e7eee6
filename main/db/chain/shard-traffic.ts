import type { TrafficTotals } from '../../../shared/economy/price.ts';
import type { Database } from '../open.ts';

/** What a shard's batches have done to the traffic totals so far. */
export interface ShardTraffic extends TrafficTotals {
  /** Units that batches paid or repaid. */
  readonly consumedUnits: bigint;
}

export interface ShardTrafficQueries {
  /** Nothing for a shard without batches. */
  get(shard: number): ShardTraffic;
  put(shard: number, traffic: ShardTraffic): void;
}

const NOTHING: ShardTraffic = { consumedUnits: 0n, videoUnits: 0n, watchMs: 0n };

export function shardTrafficQueries(db: Database): ShardTrafficQueries {
  const get = db
    .prepare<[number], ShardTraffic>(
      `SELECT consumed_units AS consumedUnits, video_units AS videoUnits, watch_ms AS watchMs
       FROM shard_traffic WHERE shard = ?`,
    )
    .safeIntegers();
  const put = db.prepare(
    'REPLACE INTO shard_traffic (shard, consumed_units, video_units, watch_ms) VALUES (?, ?, ?, ?)',
  );
  return {
    get: (shard) => get.get(shard) ?? NOTHING,
    put: (shard, { consumedUnits, videoUnits, watchMs }) =>
      void put.run(shard, consumedUnits, videoUnits, watchMs),
  };
}
