import type { Database } from '../open.ts';

/** Every table of the chain's file but the log, whose hash chain compares it. */
const TABLES = [
  'accounts',
  'pools',
  'supply',
  'totals',
  'batches',
  'price_observations',
  'feed',
  'devices',
] as const;

/** Name of the first table in which two files of a chain differ, and by how many rows; `null` when they are the same. */
export function firstDifference(
  db: Database,
  otherPath: string,
): { readonly table: string; readonly rows: number } | null {
  db.prepare('ATTACH ? AS other').run(otherPath);
  for (const table of TABLES) {
    const rows = db
      .prepare<[], number>(
        `SELECT count(*) FROM (
           SELECT * FROM (SELECT * FROM main.${table} EXCEPT SELECT * FROM other.${table})
           UNION ALL SELECT * FROM (SELECT * FROM other.${table} EXCEPT SELECT * FROM main.${table})
         )`,
      )
      .pluck()
      .get();
    if (rows) return { table, rows };
  }
  return null;
}
