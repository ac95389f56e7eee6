/** What the node does with an account's money by its user's settings: it tops up by itself, and stops at what may be spent. */
import { describe, expect, it } from 'vitest';
import { describeStatus } from '../../main/cli/status.ts';
import { AceError } from '../../shared/errors.ts';
import { fund, moveKept, quoteFunding } from '../../shared/rpc/funding.ts';
import { fetchWhole, MIB, revealedUnits, ticksArrived, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';
import { type WalletNode, walletNode } from '../helpers/wallet-node.ts';

const RULE = { belowXat: '1', depositXat: '2', mostPerDayXat: '4', mostPerMonthXat: '10' };

describe('the automatic top-up of a node', () => {
  it('moves what is kept, is told and in the books as automatic, and stops at its cap', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    await node.call('topUp', { amountXat: '20', place: 'main' });
    await node.call('setSettings', { autoTopUp: RULE });
    const toSpend = (amount: string) =>
      waitFor(`${amount} XAT to spend`, async () => {
        const snapshot = await node.call('snapshot', {});
        const isThere = snapshot.holdings.services.XAT === amount && snapshot.autoTopUp.last !== null;
        return isThere ? snapshot : null;
      });
    const first = await toSpend('2.0000000');
    expect(first.holdings.main.XAT).toBe('18.0000000');
    expect(first.autoTopUp).toMatchObject({ state: 'watching', dayXat: '2.0000000' });
    expect(first.autoTopUp.last?.amountXat).toBe('2.0000000');

    const takeBack = async (amount: string) => {
      const { expiresAtMs } = await node.call('quoteWithdraw', { token: 'XAT', amount });
      await node.call('withdraw', { token: 'XAT', amount, expiresAtMs });
    };
    await takeBack('2');
    await toSpend('2.0000000');
    await takeBack('1.5');
    const stopped = await waitFor('it stops at its cap', async () => {
      const snapshot = await node.call('snapshot', {});
      return snapshot.autoTopUp.state === 'day-used' ? snapshot : null;
    });
    expect(stopped.holdings.services.XAT).toBe('0.5000000');
    expect(describeStatus(stopped, true)).toContain('STOPPED until midnight');

    const { entries } = await node.call('journalEntries', { source: 'operation' });
    const deposits = entries.filter(({ kind }) => kind === 'deposit');
    expect(deposits.map(({ automatic }) => automatic)).toEqual([true, true]);
    expect((await node.call('journalVerify', {})).verified).toBe(true);
    await node.stop();

    // The same day goes on after a restart.
    const again = await walletNode(net, 'node');
    const later = await waitFor('the rule is looked at', async () => {
      const snapshot = await again.call('snapshot', {});
      return snapshot.autoTopUp.state !== 'off' ? snapshot : null;
    });
    expect(later.autoTopUp).toMatchObject({ state: 'day-used', dayXat: '4.0000000' });
    await net.expectConserved();
  });
});

describe('a spending limit of a node', () => {
  it('lets no piece be asked for that would be above it, leaves none half paid, and goes on when it is raised', async () => {
    const net = await useDevnet();
    const [provider, node] = [await net.peer(), await walletNode(net, 'node')];
    const { contentId } = await net.content(provider, 6 * MIB);
    await node.call('topUp', { amountXat: '5' });
    const { peer } = node.node;
    const { priceXac } = await node.call('quote', { units: 3 });
    await node.call('setSettings', { spendPerDayXac: priceXac });
    await node.call('play', { contentId, download: true });
    const paused = await waitFor('it stops at the limit', async () => {
      const { transfers, limits } = await node.call('snapshot', {});
      const transfer = transfers.find((each) => each.contentId === contentId);
      const isStopped = transfer?.reason?.code === 'TrafficStopped' && transfer.haveBytes >= 3 * MIB;
      return isStopped ? { transfer, limits } : null;
    });
    expect(paused.transfer.haveBytes).toBe(3 * MIB);
    expect(paused.limits.stops.map(({ reason }) => reason)).toEqual(['spend-per-day']);
    expect(revealedUnits(peer)).toBe(3);
    expect(paused.limits.spent.onItsWayXac).toBe(priceXac);

    // Settled, it is spent all the same.
    await ticksArrived(peer, provider);
    await node.call('settleNow', {});
    await waitFor('it is settled', async () => (await node.call('snapshot', {})).pending.owedUnits === 0);
    const { limits } = await node.call('snapshot', {});
    expect(limits.spent).toMatchObject({ dayXac: priceXac, monthXac: priceXac, onItsWayXac: '0.0000000' });
    expect(limits.stops).toHaveLength(1);
    await node.call('setSettings', { spendPerDayXac: null });
    await fetchWhole(peer, contentId);
    expect(revealedUnits(peer)).toBe(6);
  });
});

describe('a top-up from what is kept', () => {
  it('ends in what may be spent, by minting and by swapping, to the base unit', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    await node.call('topUp', { amountXat: '20', token: 'XAB' });
    const mint = await quoteFunding(node, { from: 'mint', amountXat: '1.5' });
    const minted = await fund(node, mint);
    expect(minted.steps.at(-1)?.holdings).toEqual(mint.holdingsAfter);
    expect(minted).toMatchObject({ kind: 'done', moved: { token: 'XAT', amount: '1.5000000' } });
    const swap = { from: 'swap', sell: 'XAB', amount: '2', slippagePercent: '1' } as const;
    const quote = await quoteFunding(node, swap);
    const swapped = await fund(node, quote);
    const { holdings } = await node.call('snapshot', {});
    expect(holdings.services.XAT).toBe('1.5000000');
    expect(holdings.services.XAC).toBe(quote.swap?.received);
    expect(holdings.main).toMatchObject({ XAT: '0.0000000', XAC: '0.0000000' });
    expect(swapped.steps.at(-1)?.holdings).toEqual(quote.holdingsAfter);
    expect(swapped.steps).toHaveLength(2);
    const kept = { from: 'kept', token: 'XAT', amount: '1' } as const;
    await expect(quoteFunding(node, kept)).rejects.toMatchObject({ code: 'InsufficientFunds' });
  });

  it('says what was done and what is left when the second step fails', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    await node.call('topUp', { amountXat: '20', token: 'XAB' });
    const quote = await quoteFunding(node, { from: 'mint', amountXat: '1' });
    const lost = new AceError('ShardUnavailable', 'The shard cannot be reached');
    const half: WalletNode['call'] = (procedure, input) =>
      procedure === 'deposit' ? Promise.reject(lost) : node.call(procedure, input);
    const outcome = await fund({ call: half }, quote);
    expect(outcome).toMatchObject({
      kind: 'kept',
      left: { token: 'XAT', amount: '1.0000000' },
      error: { code: 'ShardUnavailable' },
    });
    expect((await node.call('snapshot', {})).holdings.main.XAT).toBe('1.0000000');
    if (outcome.kind !== 'kept') return;
    expect(await moveKept(node, outcome.steps, outcome.left)).toMatchObject({ kind: 'done' });
    expect((await node.call('snapshot', {})).holdings.services.XAT).toBe('1.0000000');

    // A first step that is refused has done nothing.
    const late = { ...(await quoteFunding(node, { from: 'mint', amountXat: '1' })), expiresAtMs: 0 };
    await expect(fund(node, late)).rejects.toMatchObject({ code: 'DeadlinePassed' });
  });
});
