import { afterEach, describe, expect, it, vi } from 'vitest';
import { TopUps } from '../../../../renderer/state/top-ups.svelte.ts';
import { parseAmount, type TokenAmount } from '../../../../shared/economy/money.ts';
import type { NodeSnapshot } from '../../../../shared/rpc/rpc.ts';
import { TestNode } from './test-node.ts';

const amount: TokenAmount = parseAmount('0.5');
const before = { credit: { usedUnits: 100 } } as NodeSnapshot;

function aTopUp() {
  const node = new TestNode();
  return { node, topUps: new TopUps(node.client) };
}

describe('TopUps', () => {
  afterEach(() => vi.useRealTimers());

  it('asks for the amount to the last base unit, and says what came of it', async () => {
    const { node, topUps } = aTopUp();
    const arrived = topUps.topUp(amount, before);
    expect(topUps.busy).toBe(true);
    expect(node.inputs('topUp')).toEqual([{ amountXat: '0.5000000' }]);
    node.answer('topUp', { creditUsedUnits: 40 });
    expect(await arrived).toBe(true);
    expect(topUps).toMatchObject({ busy: false, failure: null });
    expect(topUps.done).toContain('60\u00a0MiB');
    topUps.putAway();
    expect(topUps.done).toBeNull();
  });

  it('makes no second one while the first is open', async () => {
    const { node, topUps } = aTopUp();
    const first = topUps.topUp(amount, before);
    expect(await topUps.topUp(amount, before)).toBe(false);
    expect(node.of('topUp')).toHaveLength(1);
    node.answer('topUp', { creditUsedUnits: 0 });
    expect(await first).toBe(true);
  });

  it('says what came of it for a minute, and of the next one for a minute of its own', async () => {
    vi.useFakeTimers();
    const { node, topUps } = aTopUp();
    const topUp = async () => {
      const arrived = topUps.topUp(amount, before);
      node.answer('topUp', { creditUsedUnits: 40 });
      await arrived;
    };
    await topUp();
    vi.advanceTimersByTime(59_999);
    expect(topUps.done).not.toBeNull();
    await topUp();
    vi.advanceTimersByTime(59_999);
    expect(topUps.done).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(topUps.done).toBeNull();
  });

  it('says why it did not arrive, until that is put away', async () => {
    const { node, topUps } = aTopUp();
    const arrived = topUps.topUp(amount, before);
    node.refuse('topUp', 'InsufficientFunds');
    expect(await arrived).toBe(false);
    expect(topUps.done).toBeNull();
    expect(topUps.failure).not.toBeNull();
    topUps.putAway();
    expect(topUps.failure).toBeNull();
  });
});
