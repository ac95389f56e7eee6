/** Every protocol while its bytes come in pieces that nobody chose: a message in many, several in one, cut in a length. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { CHAIN_PROTOCOL } from '../../main/chain/remote/constants.ts';
import { createHost, openStream } from '../../main/p2p/host.ts';
import { DHT_PROTOCOL } from '../../main/p2p/library-streams.ts';
import { HAVE_PROTOCOL } from '../../main/p2p/protocols/have/protocol.ts';
import { LIVE_PROTOCOL } from '../../main/p2p/protocols/live/constants.ts';
import { askHolds, askRecords } from '../../main/p2p/protocols/live/protocol.ts';
import { SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { fetchTransportFile, TRANSPORT_PROTOCOL } from '../../main/p2p/protocols/transport/protocol.ts';
import { PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { cutStreams } from '../helpers/cut-streams.ts';
import { type Devnet, fetchWhole, MIB, revealedUnits, ticksArrived } from '../helpers/devnet.ts';
import { useShards } from '../helpers/shards.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { waitFor } from '../helpers/wait.ts';

const SHARD_COUNT = 2;

/** Any stream: all are of one class. */
async function someStream(net: Devnet) {
  const host = await createHost({ deviceSeed: createDevice().seed(), listen: [] });
  net.owns(async () => host.stop());
  const limits = { maxFrameBytes: 1_024, maxBufferedBytes: 1_024 };
  const { stream } = await openStream(host, net.validator.host.getMultiaddrs(), SHARD_PROTOCOL, limits);
  return stream;
}

itInTiers({ quick: [[1]], long: [[2], [3], [4]] })(
  'all that nodes and shards say is understood, cut and joined anywhere (seed %i)',
  async (seed) => {
    const shards = await useShards(SHARD_COUNT);
    const { net } = shards;
    const cut = cutStreams(await someStream(net), seed);

    const provider = await shards.peer(1);
    const viewer = await shards.peer(0);
    const content = await net.content(provider, 6 * MIB - 7);
    await fetchWhole(viewer, content.contentId);
    expect(revealedUnits(viewer)).toBe(6);
    await ticksArrived(viewer, provider);
    await provider.claims.now();

    const places = provider.host.getMultiaddrs();
    const { contentId } = await provider.live.start('Harbour', null);
    const segment = { bytes: randomBytes(50_000), durationMs: 1_000, init: null, discontinuity: false };
    for (let i = 0; i < 3; i++) await provider.live.broadcaster.publish(contentId, segment);
    expect(await askRecords(viewer.host, places, contentId, -1)).toHaveLength(3);
    expect(await askHolds(viewer.host, places, [content.contentId], 5_000)).toEqual([true]);
    const { file } = await fetchTransportFile(viewer.host, places, content.contentId);
    expect(file).toMatchObject({ name: content.name });

    // Peers are asked, and the DHT.
    const other = await net.content(provider, MIB, 'other');
    await waitFor('a peer and the DHT name it', async () => {
      const found = await viewer.finder.find(other.contentId).catch(() => []);
      return found.length > 0 && [HAVE_PROTOCOL, DHT_PROTOCOL].every((protocol) => cut.sent.has(protocol));
    });

    const all = [CHAIN_PROTOCOL, DHT_PROTOCOL, HAVE_PROTOCOL, LIVE_PROTOCOL, PIECES_PROTOCOL, SHARD_PROTOCOL];
    for (const protocol of [...all, TRANSPORT_PROTOCOL]) {
      expect(cut.sent.get(protocol), `pieces of ${protocol}`).toBeGreaterThan(0);
      expect(cut.sent.get(protocol), `cuts of ${protocol}`).not.toBe(cut.said.get(protocol));
    }
    const gossip = [...cut.sent.keys()].find((protocol) => protocol.startsWith('/meshsub/'));
    expect(gossip).toBeDefined();
  },
);
