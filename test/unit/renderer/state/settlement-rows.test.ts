import { describe, expect, it } from 'vitest';
import { SettlementRows } from '../../../../renderer/state/settlement-rows.svelte.ts';
import { TestNode } from './test-node.ts';

const PAGE_ROWS = 25;
const page = (from: number) =>
  Array.from({ length: PAGE_ROWS }, (_, index) => ({ seq: from + index })) as never[];

/** The newest rows of a group, loaded; there are older ones. */
async function theRows() {
  const node = new TestNode();
  const group = new SettlementRows(node.client, () => ({ kind: 'loan' }));
  const loaded = group.load();
  node.answer('settlementHistory', { rows: page(0), next: 'after-0' });
  await loaded;
  return { node, group };
}

describe('SettlementRows', () => {
  it('has the newest rows of its filter, and older ones when they are asked for', async () => {
    const { node, group } = await theRows();
    const more = group.more();
    expect(node.inputs('settlementHistory')).toEqual([
      { filter: { kind: 'loan' }, limit: PAGE_ROWS },
      { filter: { kind: 'loan' }, limit: PAGE_ROWS, after: 'after-0' },
    ]);
    node.answer('settlementHistory', { rows: page(25), next: null });
    await more;
    expect(group.rows?.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, seq) => seq));
    await group.more();
    expect(node.calls).toHaveLength(2);
  });

  it('asks once for older rows, however often they are wanted meanwhile', async () => {
    const { node, group } = await theRows();
    const more = [group.more(), group.more()];
    expect(node.calls).toHaveLength(2);
    node.answer('settlementHistory', { rows: page(25), next: 'after-1' });
    await Promise.all(more);
    expect(group.rows).toHaveLength(50);
  });

  it('takes new settlements in while the newest are looked at, and not further down', async () => {
    const { node, group } = await theRows();
    const again = group.load();
    node.answer('settlementHistory', { rows: page(100), next: 'after-0' });
    await again;
    expect(group.rows?.[0]?.seq).toBe(100);
    const more = group.more();
    node.answer('settlementHistory', { rows: page(125), next: null });
    await more;
    await group.load();
    expect(node.calls).toHaveLength(3);
  });

  it('says why, and keeps what it has, when the node refuses', async () => {
    const { node, group } = await theRows();
    const more = group.more();
    node.refuse('settlementHistory', 'StoreFailed');
    await more;
    expect(group.failure).not.toBeNull();
    expect(group.rows).toHaveLength(PAGE_ROWS);
    expect(group.next).toBe('after-0');
  });
});
