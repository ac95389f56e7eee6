import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { PEER_BURST, PEER_PER_SECOND } from '../../main/p2p/protocols/gossip/constants.ts';
import { encodeGossip } from '../../main/p2p/protocols/gossip/messages.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { checkpointProof, encodeProof } from '../../shared/channel/equivocation.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { type Devnet, fetchWhole, MIB, paidUnits, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { longestWorkMs } from '../helpers/event-loop.ts';
import { paidOn } from '../helpers/provider-books.ts';
import { RawGossip, toldOf } from '../helpers/raw-gossip.ts';
import { type RawChannel, type RawStream, RawViewer } from '../helpers/raw-viewer.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { waitFor } from '../helpers/wait.ts';

interface Scene {
  readonly net: Devnet;
  readonly provider: TestPeer;
  /** A node that has nothing to do with the channel. */
  readonly bystander: TestPeer;
  readonly contentId: string;
  readonly viewer: RawViewer;
  readonly channel: RawChannel;
  readonly stream: RawStream;
}

/** A viewer that has paid 3 units, and said so in checkpoint 5, which the provider passes on. */
async function scene(): Promise<Scene> {
  const net = await useDevnet();
  const [provider, bystander] = [await net.peer('provider'), await net.peer('bystander')];
  const { contentId } = await net.content(provider, 8 * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 30);
  const stream = await viewer.open(provider, channel);
  for (let i = 0; i < 3; i++) {
    stream.request(contentId, i);
    await stream.takePiece();
    stream.pay(channel, i + 1);
  }
  stream.send(viewer.checkpoint(channel, { number: 5, units: 3, bytes: 3 * MIB }));
  const answer = await stream.receive();
  expect(answer?.type).toBe('countersigned');
  return { net, provider, bystander, contentId, viewer, channel, stream };
}

type Said = ReturnType<RawViewer['checkpoint']>;

const states = (peer: TestPeer) => peer.store.equivocations.all().map(({ state }) => state);
const heard = (peer: TestPeer) => peer.gossip.witness.rememberedChannels;

describe('two checkpoints with one number, told to two peers', () => {
  it('are found by a node that heard both: the device gets no new lease, and the provider is paid', async () => {
    const { net, provider, bystander, viewer, channel, stream } = await scene();
    await waitFor('the bystander heard the first', () => heard(bystander) === 1);
    const gossip = await RawGossip.start(net, bystander);
    await gossip.tell(toldOf(viewer, channel, { number: 5, units: 2, bytes: 2 * MIB }));
    await waitFor('the shard took the proof', () => states(bystander).includes('taken'));

    const error = await expectAceRejection('DeviceDisputed', viewer.lease(provider, 1));
    expect(error.details).toMatchObject({ kind: 'checkpoint', account: viewer.account.address });
    stream.vanish();
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    const { rows } = await provider.shardClient.call('statement', {
      account: provider.account.address,
      certificate: provider.certificate,
      afterSeq: 0,
    });
    expect(rows.reduce((sum, row) => sum + row.paidUnits + row.creditUnits, 0)).toBe(3);
    expect(paidOn(provider, channel)).toBe(3);
  });

  it('are found by the provider that is told both', async () => {
    const { provider, viewer, channel, stream } = await scene();
    stream.send(viewer.checkpoint(channel, { number: 5, units: 3, bytes: 2 * MIB }));
    await stream.ended();
    await waitFor('the shard took the proof', () => states(provider).includes('taken'));
    await expectAceRejection('DeviceDisputed', viewer.lease(provider, 1));
  });

  it('are found by the validator, which passes gossip on, when it is the only one that heard both', async () => {
    const { net, provider, bystander, viewer, channel } = await scene();
    await waitFor('the gossip got round, by the validator', () => heard(bystander) === 1);
    await Promise.all([provider.stop(), bystander.stop()]);
    const gossip = await RawGossip.start(net, net.validator);
    await gossip.tell(toldOf(viewer, channel, { number: 5, units: 1, bytes: MIB }));
    await waitFor('no lease any more', async () => {
      const refused = await viewer.lease(provider, 1).then(
        () => null,
        (error: { code: string }) => error.code,
      );
      return refused === 'DeviceDisputed';
    });
  });
});

describe('a node whose device was caught', () => {
  it('pauses its transfers, and says why in its state and its log', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, 2 * MIB);
    const secrets = { phrase: createPhrase(12), deviceSeed: createDevice().seed() };
    const cheat = await RawViewer.start(net, secrets);
    const channel = await cheat.lease(provider, 5);
    const [a, b] = [1, 2].map((units) => cheat.checkpoint(channel, { units })) as [Said, Said];
    const proof = encodeProof(checkpointProof(channel.signed.terms, a, b));
    await provider.shardClient.call('report', { proof });
    await cheat.stop();

    const viewer = await net.peer('viewer', secrets);
    const transfer = await viewer.library.transfer(contentId);
    transfer.download();
    await waitFor('it pauses', () => transfer.state === 'paused');
    expect(transfer.reason?.code).toBe('DeviceDisputed');
    expect(transfer.reason?.message).toContain('contradict each other');
    expect(transfer.reason?.details.kind).toBe('checkpoint');
    expect(viewer.warnings.map(({ code }) => code)).toEqual(['DeviceDisputed']);
  });
});

describe('one anchor in two terms', () => {
  it('is found by the payee that is shown the second, though no shard leased them', async () => {
    const { bystander, viewer, channel } = await scene();
    await waitFor('the bystander heard of the first', () => heard(bystander) === 1);
    const again = viewer.terms(bystander, 10, { anchor: channel.terms.anchor });
    const stream = await viewer.greet(bystander);
    stream.send({ type: 'open', ...again.signed });
    expect(await stream.expect('refused')).toMatchObject({ code: 'ChannelUnleased' });
    await waitFor('the shard took the proof', () => states(bystander).includes('taken'));
    const error = await expectAceRejection('DeviceDisputed', viewer.lease(bystander, 1));
    expect(error.details.kind).toBe('anchor');
    expect(paidUnits(bystander)).toBe(0);
  });

  it('copied from an honest device by another one harms neither the honest one nor the network', async () => {
    const { bystander, provider, viewer, channel, net } = await scene();
    await waitFor('the bystander heard of it', () => heard(bystander) === 1);
    const thief = await RawViewer.start(net);
    const stream = await thief.greet(bystander);
    stream.send({ type: 'open', ...thief.terms(bystander, 10, { anchor: channel.terms.anchor }).signed });
    await stream.expect('refused');
    await viewer.lease(provider, 1);
    expect(states(bystander)).toEqual([]);
  });
});

describe('lies about an honest device', () => {
  it('change nothing: forged gossip, and forged proofs handed to the shard', async () => {
    const { net, provider, bystander, contentId, viewer, channel, stream } = await scene();
    await waitFor('the bystander heard the first', () => heard(bystander) === 1);
    const gossip = await RawGossip.start(net, bystander);
    const told = toldOf(viewer, channel, { number: 5, units: 2 });
    await gossip.tell({ ...told, payerSignature: createDevice().sign(told.record) });
    const [a, b] = [1, 2].map((units) => {
      const { record } = viewer.checkpoint(channel, { number: 5, units });
      return { record, signature: createDevice().sign(record) };
    });
    const forged = encodeProof(checkpointProof(channel.signed.terms, a as never, b as never));
    await expectAceRejection('InvalidSignature', bystander.shardClient.call('report', { proof: forged }));
    // Said after the lie on the same line: when it is known, the lie was judged.
    await gossip.tell(toldOf(viewer, await viewer.lease(provider, 1), { units: 0 }));
    await waitFor('the lie was judged', () => heard(bystander) === 2);
    expect(states(bystander)).toEqual([]);
    await viewer.lease(provider, 1);
    stream.request(contentId, 4);
    await stream.takePiece();
  });
});

describe('a flood of gossip', () => {
  itInTiers<[string, (viewer: RawViewer, channel: RawChannel) => (i: number) => Uint8Array]>({
    quick: [
      [
        'well-formed messages with wrong signatures',
        (viewer, channel) => (i) =>
          encodeGossip({
            ...toldOf(viewer, channel, { number: i + 10, units: 3 }),
            payerSignature: randomBytes(64),
          }),
      ],
    ],
    long: [
      ['junk', () => () => randomBytes(700)],
      ['what is too large', () => () => randomBytes(4_000)],
      [
        'right messages of one channel, each with another number',
        (viewer, channel) => (i) => encodeGossip(toldOf(viewer, channel, { number: i + 10, units: 3 })),
      ],
    ],
  })('of %s holds up neither the event loop nor a stream, and leaves nothing', async (_what, make) => {
    const { net, bystander, contentId, viewer, channel } = await scene();
    const gossip = await RawGossip.start(net, bystander);
    const messages = Array.from({ length: 3_000 }, (_, i) => make(viewer, channel)(i));
    const heapBefore = process.memoryUsage().heapUsed;
    const judged = vi.spyOn(bystander.gossip.witness, 'hear');
    const startedAtMs = Date.now();
    const lagMs = await longestWorkMs(async () => {
      const fetching = fetchWhole(bystander, contentId);
      for (const [i, message] of messages.entries()) {
        await gossip.say(message).catch(() => undefined); // its own buffer is full: it has flooded enough
        if (i % 50 === 0) await delay(1);
      }
      await fetching;
    });
    expect(lagMs).toBeLessThan(1_000);
    // Its own messages, two at most, come on top.
    const seconds = (Date.now() - startedAtMs) / 1_000;
    expect(judged.mock.calls.length).toBeLessThanOrEqual(PEER_BURST + PEER_PER_SECOND * seconds + 2);
    expect(gossip.bytes).toBeGreaterThan(MIB);
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * MIB);
    expect(heard(bystander)).toBeLessThanOrEqual(2); // the flooded one, and its own
    expect(states(bystander)).toEqual([]);
  });
});
