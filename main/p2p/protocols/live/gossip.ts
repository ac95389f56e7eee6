/** Gossip of the records of broadcasts: one topic for each that is watched or made here. */
import { TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import { isAceError } from '../../../../shared/errors.ts';
import type { Log } from '../../../process/log.ts';
import { KeyedRateLimiter } from '../../../util/rate-limiter.ts';
import type { GossipRouter } from '../gossip/router.ts';
import { LIVE_PEER_BURST, LIVE_PEER_PER_SECOND, liveTopic } from './constants.ts';

export interface LiveGossipOptions {
  readonly router: GossipRouter;
  readonly networkId: string;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Whether the message is news and right. @throws AceError with the reaction to its sender */
  readonly hear: (broadcast: string, message: Uint8Array) => boolean;
}

export class LiveGossip {
  readonly #options: LiveGossipOptions;
  /** Of each broadcast, how much may be heard of each peer. */
  readonly #joined = new Map<string, KeyedRateLimiter>();

  constructor(options: LiveGossipOptions) {
    this.#options = options;
  }

  /** Listens to a broadcast from now on, and passes on its records. */
  join(broadcast: string): void {
    if (this.#joined.has(broadcast)) return;
    const rate = { burst: LIVE_PEER_BURST, perSecond: LIVE_PEER_PER_SECOND };
    this.#joined.set(broadcast, new KeyedRateLimiter(rate, this.#options.nowMs));
    const { pubsub } = this.#options.router;
    const topic = this.#topic(broadcast);
    pubsub.topicValidators.set(topic, (peer, message) => this.#judge(broadcast, peer, message.data));
    pubsub.subscribe(topic);
  }

  leave(broadcast: string): void {
    if (!this.#joined.delete(broadcast)) return;
    const { pubsub } = this.#options.router;
    const topic = this.#topic(broadcast);
    pubsub.unsubscribe(topic);
    pubsub.topicValidators.delete(topic);
  }

  /** Tells others. Nothing depends on it: who has not heard asks. */
  publish(broadcast: string, message: Uint8Array): void {
    const { router, log } = this.#options;
    router.pubsub
      .publish(this.#topic(broadcast), message)
      .catch((error: unknown) => log.debug({ err: error }, 'a live record could not be passed on'));
  }

  stop(): void {
    for (const broadcast of [...this.#joined.keys()]) this.leave(broadcast);
  }

  #topic(broadcast: string): string {
    return liveTopic(this.#options.networkId, broadcast);
  }

  #judge(broadcast: string, peer: PeerId, message: Uint8Array): TopicValidatorResult {
    const { router, log, hear } = this.#options;
    const peerId = peer.toString();
    if (router.isShunned(peerId) || !this.#mayBeHeard(broadcast, peerId)) return TopicValidatorResult.Ignore;
    try {
      return hear(broadcast, message) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore;
    } catch (error) {
      if (!isAceError(error)) {
        log.error({ err: error }, 'live gossip could not be judged');
        return TopicValidatorResult.Ignore;
      }
      if (error.reaction !== 'drop-peer') return TopicValidatorResult.Ignore;
      router.penalize(peerId);
      log.debug({ err: error, peer: peerId }, 'a peer passed on an invalid live record');
      return TopicValidatorResult.Reject;
    }
  }

  #mayBeHeard(broadcast: string, peerId: string): boolean {
    return this.#joined.get(broadcast)?.take(peerId).retryAfterMs === 0;
  }
}
