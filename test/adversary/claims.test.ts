import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContentRow } from '../../main/db/node/contents.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { Devnet, MIB, type TestPeer } from '../helpers/devnet.ts';
import { workMs } from '../helpers/event-loop.ts';
import { type RawChannel, RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const CREDIT_UNITS = 300;

let net: Devnet;
let provider: TestPeer;
let content: ContentRow;

beforeAll(async () => {
  net = await Devnet.start({ trafficCreditLimitUnits: CREDIT_UNITS });
  provider = await net.peer('provider');
  content = await net.content(provider, 8 * MIB);
});
afterAll(() => net.stop());

const creditUsed = async (viewer: RawViewer) =>
  (await net.validator.chain.account(viewer.account.address)).creditUsedUnits;

async function claim(
  who: RawViewer | TestPeer,
  channel: RawChannel,
  units: number,
  tick = channel.chain.tick(units),
) {
  const shard = 'shardClient' in who ? who.shardClient : who.shard;
  return shard.call('claim', { channelId: channel.channelId, units, tick, checkpoint: null });
}

async function consume(
  viewer: RawViewer,
  channel: RawChannel,
  units: number,
  provider: TestPeer,
  contentId = content.contentId,
): Promise<void> {
  const stream = await viewer.open(provider, channel);
  for (let i = 0; i < units; i++) {
    stream.request(contentId, i);
    await stream.takePiece();
    stream.pay(channel, i + 1);
  }
  await waitFor('the ticks are booked', () => {
    return provider.store.payeeChannels.get(channel.channelId)?.state.paidUnits === units;
  });
  stream.vanish();
}

describe('a claim', () => {
  it('that is handed in twice, by both sides, is settled once', async () => {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 20);
    await consume(viewer, channel, 4, provider);
    await provider.claims.now();
    for (const who of [provider, viewer, provider])
      expect((await claim(who, channel, 4)).claimedUnits).toBe(4);
    await provider.shardClient.call('settle', {});
    await claim(provider, channel, 4);
    await provider.shardClient.call('settle', {});
    expect(await creditUsed(viewer)).toBe(4);
  });

  it('that is older than what is on file changes nothing', async () => {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 20);
    await claim(viewer, channel, 7);
    expect((await claim(provider, channel, 3)).claimedUnits).toBe(7);
  });

  it.each<[string, ErrorCode, number, number]>([
    ['with the tick of another unit', 'ClaimInvalid', 5, 6],
    ['past the capacity', 'ClaimInvalid', 21, 20],
    ['of 2^40 units', 'ClaimInvalid', 2 ** 40, 20],
  ])('%s is refused, quickly', async (_what, code, units, preimage) => {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 20);
    const tookMs = await workMs(() =>
      expectAceRejection(code, claim(viewer, channel, units, channel.chain.tick(preimage))),
    );
    expect(tookMs).toBeLessThan(1_000);
    await waitFor('the line is up again', () => viewer.shard.connected);
    await provider.shardClient.call('settle', {});
    expect(await creditUsed(viewer)).toBe(0);
  });

  it('of a stranger needs a tick like everyone’s: without one it is refused', async () => {
    const [viewer, stranger] = [await RawViewer.start(net), await RawViewer.start(net)];
    const channel = await viewer.lease(provider, 20);
    await expectAceRejection('ClaimInvalid', claim(stranger, channel, 3, new Uint8Array(32)));
  });

  it('on a channel that nobody leased is refused', async () => {
    const viewer = await RawViewer.start(net);
    await expectAceRejection('ChannelUnleased', claim(viewer, viewer.terms(provider, 20), 3));
  });

  it('that the shard refuses does not hold up the others', async () => {
    const [cheat, honest] = [await RawViewer.start(net), await RawViewer.start(net)];
    // A released lease: whatever the provider claims on it now is refused.
    const bad = await cheat.lease(provider, 20);
    await consume(cheat, bad, 1, provider);
    await provider.claims.now();
    const opened = provider.store.payeeChannels.get(bad.channelId);
    provider.store.commit(() =>
      provider.store.payeeChannels.save(
        {
          ...(opened?.state as NonNullable<typeof opened>['state']),
          paidUnits: 2,
          tick: new Uint8Array(32),
        },
        Date.now(),
      ),
    );
    const good = await honest.lease(provider, 20);
    await consume(honest, good, 3, provider);
    await provider.claims.now().catch(() => undefined);
    await waitFor('the line is up again', () => provider.shardClient.connected);
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    expect(await creditUsed(honest)).toBe(3);
  });

  it('covers what a payer left without any checkpoint, however long the shard was away', {
    tags: 'long',
  }, async () => {
    const viewer = await RawViewer.start(net);
    const away = await net.peer('away');
    await away.claims.stop(); // none goes out by itself
    const { contentId } = await net.content(away, 60 * MIB, 'away.bin');
    const channel = await viewer.lease(away, 60);
    await consume(viewer, channel, 50, away, contentId);
    expect(await away.claims.now()).toBe(50);
    await away.shardClient.call('settle', {});
    expect(await creditUsed(viewer)).toBe(50);
  });
});

describe('one account at many providers at once', () => {
  it('is leased its credit limit and not one unit more', async () => {
    const viewer = await RawViewer.start(net);
    const granted = await Promise.all(
      Array.from({ length: 100 }, () =>
        viewer.lease(provider, 7).then(
          () => 7,
          () => 0,
        ),
      ),
    );
    const sum = granted.reduce<number>((total, units) => total + units, 0);
    expect(sum).toBe(Math.floor(CREDIT_UNITS / 7) * 7);
    const { leasableUnits } = await viewer.shard.call('account', { address: viewer.account.address });
    expect(leasableUnits).toBe(CREDIT_UNITS - sum);
  });

  it('gets no second lease with one anchor', async () => {
    const viewer = await RawViewer.start(net);
    const first = await viewer.lease(provider, 5);
    await expectAceRejection('DeviceDisputed', viewer.lease(provider, 5, { anchor: first.terms.anchor }));
  });
});
