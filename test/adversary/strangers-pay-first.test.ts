/** Viewers whose provider has lent enough to strangers: real streams, real settlements. */
import { describe, expect, it } from 'vitest';
import type { RiskLimits } from '../../main/channel/provider-risk.ts';
import { prepaidUnits } from '../../shared/channel/payer.ts';
import { fetchWhole, MIB, revealedUnits, ticksArrived, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const HOUR_MS = 3_600_000;
const LIMITS: RiskLimits = {
  unpaid: { perGroupUnits: 1, inAllUnits: 2, windowMs: HOUR_MS },
  newcomerUnits: 1_000,
  newcomersUnits: 2_000,
  newcomerWindowMs: 24 * HOUR_MS,
  loanUnits: 1_000,
  resends: { group: { burst: 100, perSecond: 1 }, all: { burst: 100, perSecond: 1 } },
};
const NOBODY_AT_HOME = { originOf: () => 'somewhere' };

describe('an honest newcomer at a provider that strangers have robbed', () => {
  it('gets the whole content, paying each unit before it comes, and pays for no unit more', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider', undefined, undefined, undefined, {
      ...NOBODY_AT_HOME,
      riskLimits: LIMITS,
    });
    const content = await net.content(provider, 12 * MIB - 7);
    const thief = await RawViewer.start(net);
    const stream = await thief.open(provider, await thief.lease(provider, 4));
    stream.request(content.contentId, 0);
    await stream.takePiece();
    stream.vanish();

    const other = await RawViewer.start(net);
    const refused = await other.open(provider, await other.lease(provider, 4));
    const id = refused.request(content.contentId, 0);
    expect(await refused.expect('refused')).toEqual({ type: 'refused', id, code: 'PrepaymentDue' });
    refused.vanish();

    const viewer = await net.peer('viewer');
    await fetchWhole(viewer, content.contentId);
    await ticksArrived(viewer, provider);
    expect(revealedUnits(viewer)).toBe(12);
    expect(viewer.store.payerChannels.all().map(({ state }) => prepaidUnits(state))).toEqual([0]);
  });
});

describe('a newcomer on free credit whose provider lends it no more', () => {
  const fewUnits = (newcomerUnits: number) => ({
    ...NOBODY_AT_HOME,
    riskLimits: { ...LIMITS, unpaid: { ...LIMITS.unpaid, perGroupUnits: 64, inAllUnits: 64 }, newcomerUnits },
  });

  it('gets the rest from other providers', { tags: 'long' }, async () => {
    const net = await useDevnet({ settlementIntervalMs: HOUR_MS });
    // As generous as a devnet's are, until both have the content.
    const seeds = [await net.peer('first'), await net.peer('second')] as const;
    const content = await net.content(seeds[0], 24 * MIB);
    await fetchWhole(seeds[1], content.contentId);
    for (const seed of seeds) await seed.stop();
    const first = await net.peer('first', undefined, undefined, undefined, fewUnits(6));
    const second = await net.peer('second', undefined, undefined, undefined, fewUnits(40));
    const viewer = await net.peer('viewer');
    await fetchWhole(viewer, content.contentId);
    const servedBytes = (provider: typeof first) =>
      provider.store.payeeChannels
        .all()
        .filter(({ payer }) => payer === viewer.account.address)
        .reduce((sum, { state }) => sum + state.servedBytes, 0);
    expect(servedBytes(first)).toBeLessThanOrEqual(6 * MIB);
    expect(servedBytes(second)).toBeGreaterThanOrEqual(18 * MIB);
  });

  it('is lent what the user of the provider has set, from then on and over a restart', async () => {
    const net = await useDevnet({ settlementIntervalMs: HOUR_MS });
    const start = () => net.peer('provider', undefined, undefined, undefined, fewUnits(1_000));
    const provider = await start();
    const { contentId } = await net.content(provider, 8 * MIB);
    const refusalBy = async (payee: typeof provider) => {
      const viewer = await RawViewer.start(net);
      const stream = await viewer.open(payee, await viewer.lease(payee, 4));
      stream.request(contentId, 0);
      const answer = await stream.receive();
      stream.vanish();
      return answer?.type === 'refused' ? answer.code : answer?.type;
    };
    expect(await refusalBy(provider)).toBe('piece');
    await provider.setLimits({ loansPerDayBytes: 0 });
    expect(await refusalBy(provider)).toBe('LoanRefused');
    await provider.stop();
    const again = await start();
    expect(await refusalBy(again)).toBe('LoanRefused');
    await again.setLimits({ loansPerDayBytes: null });
    expect(await refusalBy(again)).toBe('piece');
  });

  it('is told so when there is no other, and goes on when it has topped up', { tags: 'long' }, async () => {
    const net = await useDevnet({ settlementIntervalMs: HOUR_MS });
    const provider = await net.peer('provider', undefined, undefined, undefined, fewUnits(6));
    const content = await net.content(provider, 24 * MIB);
    const viewer = await net.peer('viewer');
    const transfer = await viewer.library.transfer(content.contentId);
    transfer.download();
    await waitFor('the loan is refused', () => transfer.reason?.code === 'LoanRefused', 30_000);
    expect(viewer.store.contents.pieces.of(content.contentId).length).toBeLessThanOrEqual(6);
    await net.topUp(viewer.account.address, 100_000_000n);
    await waitFor('the rest is here', () => transfer.state === 'done', 60_000);
  });
});
