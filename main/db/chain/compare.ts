import type { Database } from '../open.ts';

/** Every table of the chain's file but the log, whose hash chain compares it. */
const TABLES = [
  'accounts',
  'pools',
  'supply',
  'totals',
  'rate_hours',
  'shard_traffic',
  'batches',
  'price_observations',
  'feed',
  'devices',
  'account_operations',
  'access',
] as const;

/**
 * Name of the first table in which two files of a chain differ, and by how many rows; `null` when they are the same. A row
 * that was changed counts once, as does one that only one of them has.
 */
export function firstDifference(
  db: Database,
  otherPath: string,
): { readonly table: string; readonly rows: number } | null {
  db.prepare('ATTACH ? AS other').run(otherPath);
  for (const table of TABLES) {
    const key = primaryKey(db, table).join(', ');
    const rows = db
      .prepare<[], number>(
        `SELECT count(*) FROM (
           SELECT ${key} FROM (SELECT * FROM main.${table} EXCEPT SELECT * FROM other.${table})
           UNION SELECT ${key} FROM (SELECT * FROM other.${table} EXCEPT SELECT * FROM main.${table})
         )`,
      )
      .pluck()
      .get();
    if (rows) return { table, rows };
  }
  return null;
}

function primaryKey(db: Database, table: string): string[] {
  return db
    .prepare<[string], string>('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk')
    .pluck()
    .all(table);
}
