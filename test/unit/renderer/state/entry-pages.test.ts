import { describe, expect, it } from 'vitest';
import { EntryPages } from '../../../../renderer/state/entry-pages.svelte.ts';
import { TestNode } from './test-node.ts';

function thePages() {
  const node = new TestNode();
  return { node, pages: new EntryPages(node.client) };
}
const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ entry: from + index })) as never[];

describe('EntryPages', () => {
  it('adds older entries below those it has', async () => {
    const { node, pages } = thePages();
    const newest = pages.load({ source: 'operation' });
    expect(pages).toMatchObject({ entries: null, busy: true });
    node.answer('journalEntries', { entries: entries(0, 2), next: 'older' });
    await newest;
    const older = pages.more();
    node.answer('journalEntries', { entries: entries(2, 1), next: null });
    await older;
    expect(node.inputs('journalEntries')).toEqual([
      { source: 'operation', limit: 50 },
      { source: 'operation', limit: 50, cursor: 'older' },
    ]);
    expect(pages.entries).toHaveLength(3);
    await pages.more();
    expect(node.of('journalEntries')).toHaveLength(2);
  });

  it('drops what another filter had, and an answer that was for it', async () => {
    const { node, pages } = thePages();
    const first = pages.load({ source: 'operation' });
    const second = pages.load({ source: 'settlement' });
    node.answer('journalEntries', { entries: entries(7, 1), next: null }, 1);
    await second;
    node.answer('journalEntries', { entries: entries(0, 5), next: null }, 0);
    await first;
    expect(pages.entries).toEqual([{ entry: 7 }]);
    void pages.load({ source: 'operation' });
    expect(pages.entries).toBeNull();
  });

  it('says why it failed, and keeps what it has', async () => {
    const { node, pages } = thePages();
    const loaded = pages.load({});
    node.answer('journalEntries', { entries: entries(0, 1), next: null });
    await loaded;
    const again = pages.again();
    node.refuse('journalEntries', 'Internal');
    await again;
    expect(pages).toMatchObject({ busy: false, entries: [{ entry: 0 }] });
    expect(pages.failure).not.toBeNull();
  });

  it('does not begin anew under a person who reads further down', async () => {
    const { node, pages } = thePages();
    const loaded = pages.load({});
    node.answer('journalEntries', { entries: entries(0, 51), next: null });
    await loaded;
    await pages.again();
    expect(node.of('journalEntries')).toHaveLength(1);
  });
});
