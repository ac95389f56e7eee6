import { describe, expect, it, vi } from 'vitest';
import { PAGE_ROWS, SettlementPages } from '../../../../renderer/state/settlement-pages.svelte.ts';
import { TestNode } from './test-node.ts';

const rows = (from: number, count = PAGE_ROWS) =>
  Array.from({ length: count }, (_, index) => ({ seq: from + index })) as never[];

/** Pages of a history of so many rows, loaded. */
async function thePages(count: number) {
  const node = new TestNode();
  const pages = new SettlementPages(node.client);
  const loaded = pages.load({});
  node.answer('settlementSums', { count });
  node.answer('settlementHistory', { rows: rows(0), next: 'after-0' });
  await loaded;
  return { node, pages };
}

describe('SettlementPages', () => {
  it('has its newest rows and how many there are', async () => {
    const { pages } = await thePages(250);
    expect(pages).toMatchObject({ count: 250, newer: 0, failure: null });
    expect(pages.row(99)?.seq).toBe(99);
    expect(pages.row(100)).toBeUndefined();
  });

  it('loads what comes into sight, from the last page that it knows the end of', async () => {
    const { node, pages } = await thePages(1_000);
    const shown = pages.show(200, 250);
    expect(node.inputs('settlementHistory').at(-1)).toEqual({
      filter: {},
      after: 'after-0',
      skip: PAGE_ROWS,
      limit: PAGE_ROWS,
    });
    node.answer('settlementHistory', { rows: rows(200), next: 'after-2' });
    await shown;
    expect(pages.row(205)?.seq).toBe(205);
  });

  it('keeps only pages near those in sight', async () => {
    const { node, pages } = await thePages(5_000);
    const shown = pages.show(1_500, 1_550);
    node.answer('settlementHistory', { rows: rows(1_500), next: null });
    await shown;
    expect(pages.row(1_501)?.seq).toBe(1_501);
    expect(pages.row(1)).toBeUndefined();
  });

  it('passes over what was in sight for a moment, and keeps what is in sight', async () => {
    const { node, pages } = await thePages(9_000);
    void pages.show(1_950, 2_050);
    void pages.show(5_000, 5_050);
    const shown = pages.show(8_000, 8_050);
    node.answer('settlementHistory', { rows: rows(1_900), next: null });
    await vi.waitFor(() => expect(node.of('settlementHistory')).toHaveLength(3));
    node.answer('settlementHistory', { rows: rows(8_000), next: null });
    await shown;
    expect(pages.row(8_000)?.seq).toBe(8_000);
    expect(node.of('settlementHistory')).toHaveLength(3);
  });

  it('has what is in sight again after it was loaded anew', async () => {
    const { node, pages } = await thePages(1_000);
    const shown = pages.show(500, 550);
    node.answer('settlementHistory', { rows: rows(500), next: null });
    await shown;
    const again = pages.load();
    node.answer('settlementSums', { count: 1_000 });
    node.answer('settlementHistory', { rows: rows(0), next: null });
    await again;
    node.answer('settlementHistory', { rows: rows(500), next: null });
    await vi.waitFor(() => expect(pages.row(500)?.seq).toBe(500));
  });

  it('takes no page of an earlier filter', async () => {
    const { node, pages } = await thePages(1_000);
    const shown = pages.show(200, 250);
    const filtered = pages.load({ kind: 'loan' });
    node.answer('settlementSums', { count: 900 });
    node.answer('settlementHistory', { rows: rows(5_000), next: null }, 2);
    await filtered;
    node.answer('settlementHistory', { rows: rows(200), next: null }, 1);
    await shown;
    expect(pages.row(0)?.seq).toBe(5_000);
    expect(pages.row(200)).toBeUndefined();
  });

  it('shows new rows at once at its top, and counts them further down', async () => {
    const { node, pages } = await thePages(250);
    await pages.added(3, false);
    expect(pages.newer).toBe(3);
    void pages.added(1, true);
    expect(node.of('settlementSums')).toHaveLength(2);
  });

  it('says why rows are missing, until they are here', async () => {
    const { node, pages } = await thePages(1_000);
    const shown = pages.show(200, 250);
    node.refuse('settlementHistory', 'Internal');
    await shown;
    expect(pages.failure).not.toBeNull();
    void pages.show(200, 250);
    node.answer('settlementHistory', { rows: rows(200), next: null });
    await vi.waitFor(() => expect(pages.failure).toBeNull());
  });
});
