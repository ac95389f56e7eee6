import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeState } from '../../../../renderer/state/node.svelte.ts';
import { aSnapshot, aWallet, startFor, TestNode } from './test-node.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function aState(connected = true) {
  const node = new TestNode({ connected });
  const state = new NodeState(node.client);
  startFor(() => state.start());
  return { node, state };
}

describe('NodeState', () => {
  it('is connecting, then connected, then lost, then connected again', () => {
    const { node, state } = aState(false);
    expect(state).toMatchObject({ link: 'connecting', online: false });
    node.connect();
    expect(state).toMatchObject({ link: 'connected', online: true });
    node.connect(false);
    expect(state).toMatchObject({ link: 'lost', online: false });
    node.connect();
    expect(state.link).toBe('connected');
  });

  it('stays without a token where there is none', () => {
    const state = new NodeState(new TestNode({ connected: false }).client, 'no-token');
    startFor(() => state.start());
    expect(state).toMatchObject({ link: 'no-token', online: false });
  });

  it('has a snapshot from the first one on', () => {
    const { node, state } = aState();
    expect(state.hasSnapshot()).toBe(false);
    vi.setSystemTime(5_000);
    node.feed('snapshot', aSnapshot);
    expect(state.hasSnapshot()).toBe(true);
    expect(state.snapshotAtMs).toBe(5_000);
  });

  it('loads the library once the node runs, and follows the feed from then on', async () => {
    const { node, state } = aState();
    node.answer('walletState', { ...aWallet, running: false });
    await vi.waitFor(() => expect(state.wallet.view).not.toBeNull());
    expect(node.of('contents')).toHaveLength(0);
    node.feed('wallet', aWallet);
    expect(node.of('contents')).toHaveLength(1);
    node.refuse('contents', 'Internal');
    await vi.waitFor(() => expect(state.contents.error).not.toBeNull());
    node.feed('contents', [{ contentId: 'a' }]);
    expect(state.contents).toMatchObject({ data: [{ contentId: 'a' }], error: null });
  });

  it('keeps the traffic of the last five minutes, the newest last', () => {
    const { node, state } = aState();
    const moved = { contentId: 'a', name: null, viewers: 1, downBytesPerSecond: 0, upBytesPerSecond: 1 };
    for (let atMs = 1; atMs <= 301; atMs++)
      node.feed('traffic', { atMs, contents: [{ ...moved, sentBytes: atMs }] });
    expect(state.flow).toHaveLength(300);
    expect(state.flow.at(0)?.atMs).toBe(2);
    expect(state.flow.at(-1)?.atMs).toBe(301);
    expect([...state.sentBytes]).toEqual([['a', 301]]);
  });

  it('knows which titles move now, and none once the node is not heard any more', () => {
    const { node, state } = aState();
    const moved = { name: null, sentBytes: 1, viewers: 2, downBytesPerSecond: 0, upBytesPerSecond: 1 };
    node.feed('traffic', { atMs: 1, contents: [{ ...moved, contentId: 'a' }] });
    node.feed('traffic', { atMs: 2, contents: [{ ...moved, contentId: 'b' }] });
    expect([...state.titlesNow.keys()]).toEqual(['b']);
    expect(state.titlesNow.get('b')?.viewers).toBe(2);
    node.connect(false);
    expect(state.titlesNow.size).toBe(0);
  });

  it('shows how far an import is, until it is done', () => {
    const { node, state } = aState();
    node.feed('importing', { path: '/a', doneBytes: 25, sizeBytes: 100 });
    expect([...state.importing]).toEqual([['/a', 0.25]]);
    node.feed('importing', { path: '/a', doneBytes: 100, sizeBytes: 100 });
    expect([...state.importing]).toEqual([]);
  });

  it('samples what was paid each second, from zero when the node began anew', () => {
    const { node, state } = aState();
    const paid = (startedAtMs: number, paidUnits: number) =>
      node.feed('snapshot', { ...aSnapshot, startedAtMs, transfers: [{ paidUnits }] as never });
    paid(1, 10);
    vi.advanceTimersByTime(1_000);
    paid(1, 13);
    vi.advanceTimersByTime(1_000);
    paid(2, 4);
    vi.advanceTimersByTime(1_000);
    expect(state.history.map(({ paidUnits }) => paidUnits)).toEqual([0, 3, 0]);
  });

  it('hears and samples nothing once it is stopped', () => {
    const node = new TestNode();
    const state = new NodeState(node.client);
    state.start()();
    node.feed('snapshot', aSnapshot);
    expect(state.snapshot).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });
});
