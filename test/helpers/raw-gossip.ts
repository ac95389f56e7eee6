/** A host in the test's hands that says anything in the gossip, right or wrong, as often as it likes. */
import type { Libp2p } from '@libp2p/interface';
import type { LeasedCheckpoint } from '../../main/channel/observer.ts';
import { createHost } from '../../main/p2p/host.ts';
import { checkpointTopic } from '../../main/p2p/protocols/gossip/constants.ts';
import { encodeGossip } from '../../main/p2p/protocols/gossip/messages.ts';
import { GossipRouter } from '../../main/p2p/protocols/gossip/router.ts';
import { createDevice } from '../../main/wallet/device.ts';
import type { Devnet } from './devnet.ts';
import type { RawChannel, RawViewer } from './raw-viewer.ts';
import { waitFor } from './wait.ts';

export class RawGossip {
  readonly host: Libp2p;
  readonly router: GossipRouter;
  readonly #topic: string;
  #bytes: () => number;

  private constructor(host: Libp2p, router: GossipRouter, topic: string, bytes: () => number) {
    this.host = host;
    this.router = router;
    this.#topic = topic;
    this.#bytes = bytes;
  }

  /** Connected to this one peer, which listens. */
  static async start(net: Devnet, peer: { readonly host: Libp2p }): Promise<RawGossip> {
    let bytes = 0;
    const router = new GossipRouter(Date.now, (more) => {
      bytes += more;
    });
    const host = await createHost({ deviceSeed: createDevice().seed(), listen: [], gossip: router });
    net.owns(async () => host.stop());
    const topic = checkpointTopic(net.validator.settings.networkId, 0);
    await host.dial(peer.host.getMultiaddrs());
    await waitFor('the peer listens', () => router.pubsub.getSubscribers(topic).length > 0);
    return new RawGossip(host, router, topic, () => bytes);
  }

  /** Bytes of gossip on the wire so far. */
  get bytes(): number {
    return this.#bytes();
  }

  async say(bytes: Uint8Array): Promise<void> {
    await this.router.pubsub.publish(this.#topic, bytes);
  }

  tell(told: LeasedCheckpoint): Promise<void> {
    return this.say(encodeGossip(told));
  }
}

/** What gossip says of a viewer's checkpoint. */
export function toldOf(
  viewer: RawViewer,
  channel: RawChannel,
  fields: Parameters<RawViewer['checkpoint']>[1],
): LeasedCheckpoint {
  const { record, signature } = viewer.checkpoint(channel, fields);
  return { ...channel.signed, record, payerSignature: signature };
}
