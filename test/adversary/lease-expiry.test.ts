/** A lease that expires in mid-unit. What was on its way is paid within the grace, and nobody gains by the end of it. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CLAIM_GRACE_MS, settle } from '../../main/validator/batching.ts';
import { expectAceError } from '../helpers/ace-error.ts';
import { MIB as CONTENT_MIB, paidUnits, revealedUnits, useDevnet } from '../helpers/devnet.ts';
import { type LeasedChannel, party } from '../helpers/shard.ts';
import { DAY_MS, MIB, Stage, type StagedProvider, serveUnits } from '../helpers/stage.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { standsStill, waitFor } from '../helpers/wait.ts';

const [payer, payee] = [party(1), party(2)];
const LIFE_MS = 60_000;

interface Scene {
  readonly stage: Stage;
  readonly provider: StagedProvider;
  readonly leased: LeasedChannel;
}

/** A lease for a minute, and a clock to turn. */
async function minute(): Promise<Scene> {
  const stage = new Stage([payer]);
  const provider = stage.provider(2);
  const expiresAtMs = stage.shard.nowMs + LIFE_MS;
  const leased = await stage.shard.lease(payer, payee, 20, { expiresAtMs });
  return { stage, provider, leased };
}

describe('a lease that expires in mid-unit', () => {
  it('has the unit that was on its way paid, and nothing served after it', async () => {
    const { stage, provider, leased } = await minute();
    const channel = await provider.open(leased);
    stage.shard.nowMs += LIFE_MS - 1;
    expect(serveUnits(channel, 1)).toBe(1);
    stage.shard.nowMs += 1;
    // Half of it is on the wire. It arrives, and is paid.
    expect(channel.obstacle(1)).toBe('ChannelExpired');
    provider.service.expire();
    channel.receiveTick(1, leased.chain.tick(1));
    channel.commit();
    expect(channel.obstacle(1)).toBe('ChannelExpired');
    expect(provider.unpaidUnits()).toBe(0);
    await stage.settleAll();
    await stage.expectPaid(payer, payee, 1);
  });

  it('can be closed by both sides after it, and then frees the rest at once', async () => {
    const { stage, provider, leased } = await minute();
    const channel = await provider.open(leased);
    serveUnits(channel, 1);
    stage.shard.nowMs += LIFE_MS;
    provider.service.expire();
    const { record, payerSignature } = stage.shard.checkpoint(leased, { units: 1, final: true });
    const who = { account: payer.account.address, device: payer.device.publicKey };
    const { signature } = await provider.service.countersign(who, record, payerSignature);
    const checkpoint = { record, payerSignature, payeeSignature: signature };
    expect(stage.shard.claim(leased, 1, { checkpoint })).toEqual({ claimedUnits: 1, released: true });
    expect(stage.shard.store.leases.reservedUnits(payer.account.address)).toBe(1);
    await stage.settleAll();
    await stage.expectPaid(payer, payee, 1);
  });

  it('is paid when it is claimed in the last millisecond of the grace, and not in the one after', async () => {
    for (const [lateMs, units] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { stage, provider, leased } = await minute();
      const channel = await provider.open(leased);
      serveUnits(channel, 1);
      channel.receiveTick(1, leased.chain.tick(1));
      channel.commit();
      stage.shard.nowMs = leased.terms.expiresAtMs + CLAIM_GRACE_MS + lateMs;
      await settle(stage.shard.context);
      if (units === 0) expectAceError('ClaimInvalid', () => provider.claimAll());
      else provider.claimAll();
      await settle(stage.shard.context);
      await stage.expectPaid(payer, payee, units);
      // What the payee did not claim in time is the payer's again, and never both sides'.
      const reserved = stage.shard.store.leases.reservedUnits(payer.account.address);
      expect(reserved).toBe(units === 0 ? 0 : 19);
      await stage.expectConserved();
    }
  });

  it('gives a payer that lets one after another expire one unit a day', async () => {
    const stage = new Stage([payer]);
    const provider = stage.provider(2);
    const dayAtMs = stage.shard.nowMs;
    let sent = 0;
    for (let i = 0; i < 30; i++) {
      const expiresAtMs = stage.shard.nowMs + LIFE_MS;
      const channel = await provider.open(await stage.shard.lease(payer, payee, 20, { expiresAtMs }));
      stage.shard.nowMs += LIFE_MS - 1;
      sent += serveUnits(channel, 20, 20 * i);
      stage.shard.nowMs += 1;
      provider.service.expire();
      channel.detach();
    }
    expect(stage.shard.nowMs - dayAtMs).toBeLessThan(DAY_MS);
    expect(sent).toBe(1);
    expect(provider.unpaidUnits()).toBe(1);
  });

  it('counts no byte past the expiry, however small', async () => {
    const { stage, provider, leased } = await minute();
    const channel = await provider.open(leased);
    stage.shard.nowMs += LIFE_MS;
    for (const bytes of [1, MIB]) expect(channel.obstacle(bytes)).toBe('ChannelExpired');
  });
});

describe('a viewer whose channel is about to expire', () => {
  itInTiers<[string, number, boolean]>({
    quick: [['ten minutes before, it goes on over the next one', 12 * 3_600_000 - 5 * 60_000, true]],
    long: [['long before, it stays on it', 6 * 3_600_000, false]],
  })('%s', async (_what, laterMs, renews) => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, 40 * CONTENT_MIB);
    const viewer = await net.peer('viewer');
    const transfer = await viewer.library.transfer(contentId);
    transfer.addReader(0);
    await waitFor('some pieces', () => transfer.paidUnits >= 4);
    await standsStill('what is read ahead', () => transfer.paidUnits);
    expect(transfer.state).not.toBe('done');
    const real = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => real() + laterMs);
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    transfer.download();
    await waitFor('done', () => transfer.state === 'done');
    await viewer.library.stopTransfer(contentId);
    await viewer.claims.now();
    const states = viewer.store.payerChannels.all().map(({ state }) => state);
    expect(states.map(({ status }) => ['closing', 'claimed', 'settled'].includes(status))).toEqual(
      renews ? [true, true] : [true],
    );
    // Nobody lost anything by it.
    expect(revealedUnits(viewer)).toBe(40);
    expect(paidUnits(provider)).toBe(40);
    const served = provider.store.payeeChannels.all().reduce((sum, { state }) => sum + state.servedBytes, 0);
    expect(served).toBe(40 * CONTENT_MIB);
    expect(provider.warnings).toEqual([]);
    await net.expectConserved();
  });
});
