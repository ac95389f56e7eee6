import { describe, expect, it } from 'vitest';
import { SettlementDays } from '../../../../renderer/state/settlement-days.svelte.ts';
import { TestNode } from './test-node.ts';

const view = (...days: string[]) => days.map((day) => ({ day })) as never[];

/** The two newest days, loaded; there are earlier ones. */
async function theDays() {
  const node = new TestNode();
  const history = new SettlementDays(node.client);
  const loaded = history.load({});
  node.answer('settlementDays', { days: view('2026-03-09', '2026-03-08'), next: '2026-03-08' });
  await loaded;
  const shown = () => history.days?.map(({ day }) => day);
  return { node, history, shown };
}

describe('SettlementDays', () => {
  it('has the newest days, and earlier ones when they are asked for', async () => {
    const { node, history, shown } = await theDays();
    expect(shown()).toEqual(['2026-03-09', '2026-03-08']);
    const more = history.more();
    expect(node.inputs('settlementDays').at(-1)).toMatchObject({ filter: {}, before: '2026-03-08' });
    node.answer('settlementDays', { days: view('2026-03-05'), next: null });
    await more;
    expect(shown()).toEqual(['2026-03-09', '2026-03-08', '2026-03-05']);
    await history.more();
    expect(node.calls).toHaveLength(2);
  });

  it('keeps the earlier days when the newest are asked for again', async () => {
    const { node, history, shown } = await theDays();
    const more = history.more();
    node.answer('settlementDays', { days: view('2026-03-05'), next: null });
    await more;
    const again = history.load();
    node.answer('settlementDays', { days: view('2026-03-10', '2026-03-09'), next: '2026-03-09' });
    await again;
    expect(shown()).toEqual(['2026-03-10', '2026-03-09', '2026-03-08', '2026-03-05']);
    expect(history.next).toBeNull();
  });

  it('shows nothing of an earlier filter', async () => {
    const { node, history, shown } = await theDays();
    const more = history.more();
    const filtered = history.load({ kind: 'loan' });
    expect(history.days).toBeNull();
    node.answer('settlementDays', { days: view('2026-03-01'), next: null }, 2);
    await filtered;
    node.answer('settlementDays', { days: view('2026-03-05'), next: null }, 1);
    await more;
    expect(shown()).toEqual(['2026-03-01']);
  });

  it('says why, and keeps what it has, when the node refuses', async () => {
    const { node, history, shown } = await theDays();
    const more = history.more();
    node.refuse('settlementDays', 'StoreFailed');
    await more;
    expect(history.failure).not.toBeNull();
    expect(shown()).toEqual(['2026-03-09', '2026-03-08']);
  });
});
