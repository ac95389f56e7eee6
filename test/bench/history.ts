/**
 * How fast a long settlement history is read, and that reading it takes no more memory the longer it is: rows in a real
 * SQLite file, asked for as pages ask. Prints a table, or JSON with --json. Nothing here is asserted on time.
 *
 *   node test/bench/history.ts [--rows 100000] [--json]
 */
import '../../main/process/heap.ts';

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openNodeStore } from '../../main/db/node/store.ts';
import { settlementProcedures } from '../../main/service/settlements.ts';
import type { SettlementFilter } from '../../shared/rpc/settlements.ts';
import { testAddress } from '../helpers/chain.ts';
import { HISTORY_FROM_MS, HISTORY_STEP_MS, insertSettlements } from '../helpers/settlements.ts';
import { machine, median, tell } from './report.ts';

const GOAL_FIRST_PAGE_MS = 100;
const PAGE_ROWS = 100;
const ROUNDS = 9;

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '100000' }, json: { type: 'boolean', default: false } },
});
const rows = Number(values.rows);
const middleMs = HISTORY_FROM_MS + Math.floor(rows / 4) * HISTORY_STEP_MS;
const FILTERS: Readonly<Record<string, SettlementFilter>> = {
  all: {},
  'one counterparty': { counterparty: testAddress(7) },
  repayments: { kind: 'repayment' },
  loans: { kind: 'loan' },
  'a day': { fromMs: middleMs, untilMs: middleMs + 86_400_000 },
};

const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));
try {
  const path = join(dir, 'node.db');
  const making = openNodeStore(path);
  insertSettlements(making, rows);
  making.close();

  const figures: Record<string, number> = {};
  const store = openNodeStore(path);
  const fresh = () =>
    settlementProcedures({
      store,
      account: testAddress(500),
      settings: { networkId: 'bench', validatorKeys: [] },
    });
  for (const [name, filter] of Object.entries(FILTERS)) {
    // The first time reads the file: what a person waits for who opens the page.
    figures[`${name}: first page, first time, ms`] = await timed(() =>
      fresh().settlementHistory({ filter, skip: 0, limit: PAGE_ROWS }),
    );
    const [pages, sums]: [number[], number[]] = [[], []];
    for (let i = 0; i < ROUNDS; i++) {
      pages.push(await timed(() => fresh().settlementHistory({ filter, skip: 0, limit: PAGE_ROWS })));
      sums.push(await timed(() => fresh().settlementSums({ filter })));
    }
    figures[`${name}: first page, ms`] = median(pages);
    figures[`${name}: sums, ms`] = median(sums);
  }
  const procedures = fresh();
  const far = [];
  for (let i = 0; i < ROUNDS; i++) {
    far.push(
      await timed(() =>
        procedures.settlementHistory({ filter: {}, skip: rows - 2 * PAGE_ROWS, limit: PAGE_ROWS }),
      ),
    );
  }
  figures['jump to the oldest page, ms'] = median(far);
  figures['a row opened, ms'] = await timed(() => procedures.settlementDetail({ seq: rows }));

  const before = residentMib();
  let [read, longest, after]: [number, number, string | undefined] = [0, 0, undefined];
  for (;;) {
    const startedMs = performance.now();
    const page = await procedures.settlementHistory({ filter: {}, after, skip: 0, limit: PAGE_ROWS });
    longest = Math.max(longest, performance.now() - startedMs);
    read += page.rows.length;
    if (page.next === null) break;
    after = page.next;
  }
  if (read !== rows) throw new Error(`read ${read} rows of ${rows}`);
  figures['all pages: the slowest, ms'] = longest;
  figures['all pages: memory grew, MiB'] = residentMib() - before;
  figures['file, MiB'] = statSync(path).size / 1_048_576;
  store.close();

  const table = Object.entries(figures).map(([name, value]) => [name, value.toFixed(1)] as const);
  tell(
    { machine, rows, goalFirstPageMs: GOAL_FIRST_PAGE_MS, ...figures },
    [['machine', `${machine.cpu}, ${machine.cores} cores`], ['settlements', String(rows)], ...table],
    values.json,
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function residentMib(): number {
  return process.memoryUsage.rss() / 1_048_576;
}
