/** A statement of 100,000 settlements opens as quickly as one of a few: it reads sums, not settlements. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openNodeStore } from '../../../../../main/db/node/store.ts';
import { catchUpDays } from '../../../../../main/journal/day-book.ts';
import { settlementProcedures } from '../../../../../main/service/settlements.ts';
import { settlementInputs } from '../../../../../shared/rpc/settlements.ts';
import { testAddress } from '../../../../helpers/chain.ts';
import { insertSettlements } from '../../../../helpers/settlements.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const COUNT = 100_000;
/** Reading all settlements once takes at least so many times as long as a page of the statement. */
const QUICKER = 10;

it('opens and goes on by a few rows, however many settlements there are', async () => {
  const store = openNodeStore(join(tempDir(), 'node.db'));
  insertSettlements(store, COUNT);
  await catchUpDays(store);
  const settings = { networkId: 'test', validatorKeys: [] };
  const procedures = settlementProcedures({ store, account: testAddress(500), settings });
  const days = (input: object) => procedures.settlementDays(settlementInputs.settlementDays.parse(input));
  const best = async (what: () => unknown) => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startedMs = performance.now();
      await what();
      times.push(performance.now() - startedMs);
    }
    return Math.min(...times);
  };
  const allMs = await best(() => store.settlementHistory.sums({}, 0, COUNT));

  const first = await days({});
  const [day] = first.days;
  if (!day || first.next === null) throw new Error('there are several pages of days');
  const filter = { fromMs: day.fromMs, untilMs: day.untilMs };
  const rows = settlementInputs.settlementHistory.parse({ filter: { ...filter, contentId: '' }, limit: 25 });
  const { next } = first;
  const pages = {
    days: await best(() => days({})),
    earlier: await best(() => days({ before: next })),
    groups: await best(() => procedures.settlementGroups({ day: day.day, by: 'peer', filter: {} })),
    rows: await best(() => procedures.settlementHistory(rows)),
  };
  console.log(`all: ${allMs.toFixed(1)} ms`, pages);
  for (const [page, ms] of Object.entries(pages)) expect(ms, page).toBeLessThan(allMs / QUICKER);

  // Nothing is left out on the way down.
  let count = 0;
  for (let before: string | null | undefined; before !== null; ) {
    const found = await days({ limit: 100, ...(before !== undefined && { before }) });
    count += found.days.reduce((sum, one) => sum + one.count, 0);
    before = found.next;
  }
  expect(count).toBe(COUNT);
  store.close();
});
