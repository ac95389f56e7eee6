/**
 * Gossip of checkpoints (docs/protocols.md#gossip): publishes what this node's channels agreed on, listens to what others
 * publish, and finds devices that signed two things which contradict each other. A message is checked before it is passed
 * on, and the rate of messages is limited before that.
 */

import { TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import type { EquivocationProof } from '../../../../shared/channel/equivocation.ts';
import { type ChannelTerms, decodeCheckpoint, decodeTerms } from '../../../../shared/channel/records.ts';
import { isAceError } from '../../../../shared/errors.ts';
import { toHex } from '../../../../shared/hex.ts';
import type { ChannelObserver, LeasedCheckpoint } from '../../../channel/observer.ts';
import type { Log } from '../../../process/log.ts';
import { KeyedRateLimiter } from '../../../util/rate-limiter.ts';
import {
  ALL_BURST,
  ALL_PER_SECOND,
  checkpointTopic,
  MAX_UNPUBLISHED,
  PEER_BURST,
  PEER_PER_SECOND,
  PUBLISH_EVERY_MS,
  PUBLISH_GROWTH,
  PUBLISH_WITHIN_MS,
  REMEMBERED_CHANNELS,
} from './constants.ts';
import { decodeGossip, encodeGossip } from './messages.ts';
import type { GossipRouter } from './router.ts';
import { Witness } from './witness.ts';

export interface GossipOptions {
  readonly router: GossipRouter;
  readonly networkId: string;
  /** Raw key, in hex, of the validator of each shard. */
  readonly validatorKeys: readonly string[];
  /** Whose payers are listened to. */
  readonly shard: number;
  readonly nowMs: () => number;
  /** A clock that nobody sets. */
  readonly clockMs: () => number;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** A device was caught. @throws only what is logged */
  readonly onProof: (proof: EquivocationProof) => void;
}

/** What was published of a channel last. */
interface LastPublished {
  readonly units: number;
  readonly atMs: number;
}

export class CheckpointGossip implements ChannelObserver {
  readonly witness: Witness;
  readonly #options: GossipOptions;
  /** How much may be heard of each peer, and of all together. */
  readonly #perPeer: KeyedRateLimiter;
  readonly #all: KeyedRateLimiter;
  readonly #published = new LRUCache<string, LastPublished>({ max: REMEMBERED_CHANNELS });
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.witness = new Witness(options);
    this.#perPeer = new KeyedRateLimiter({ burst: PEER_BURST, perSecond: PEER_PER_SECOND }, options.clockMs);
    this.#all = new KeyedRateLimiter({ burst: ALL_BURST, perSecond: ALL_PER_SECOND }, options.clockMs);
    const { pubsub } = options.router;
    const topic = checkpointTopic(options.networkId, options.shard);
    pubsub.topicValidators.set(topic, (peer, message) => this.#judge(peer, message.data));
    pubsub.subscribe(topic);
  }

  /** A channel of this node has a checkpoint that both sides signed. */
  countersigned(signed: LeasedCheckpoint): void {
    const { clockMs, random } = this.#options;
    const { channelId, units, final } = decodeCheckpoint(signed.record);
    const key = toHex(channelId);
    const last = this.#published.peek(key);
    const isDue =
      !last || final || units >= PUBLISH_GROWTH * last.units || clockMs() - last.atMs >= PUBLISH_EVERY_MS;
    if (!isDue || this.#stopped || this.#timers.size >= MAX_UNPUBLISHED) return;
    this.#published.set(key, { units, atMs: clockMs() });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#publish(signed);
    }, random() * PUBLISH_WITHIN_MS);
    this.#timers.add(timer);
  }

  /** Terms that a payer's device signed and showed to this node, leased or not. */
  termsShown(terms: ChannelTerms, record: Uint8Array, signature: Uint8Array): void {
    const proof = this.witness.contradictedTerms(terms, { record, signature });
    if (proof) this.contradicted(proof);
  }

  contradicted(proof: EquivocationProof): void {
    const { onProof, log } = this.#options;
    try {
      onProof(proof);
    } catch (error) {
      log.warn({ err: error }, 'a proof of cheating could not be taken up');
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #publish(signed: LeasedCheckpoint): void {
    const { router, networkId, log } = this.#options;
    // It is published for others: nothing of ours depends on it.
    const failed = (error: unknown) => log.debug({ err: error }, 'a checkpoint could not be passed on');
    try {
      const bytes = encodeGossip(signed);
      // What the other side of the channel published meanwhile is not published again.
      if (!this.#hear(bytes)) return;
      const { shard } = decodeTerms(signed.terms);
      router.pubsub.publish(checkpointTopic(networkId, shard), bytes).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #judge(peer: PeerId, bytes: Uint8Array): TopicValidatorResult {
    const { router } = this.#options;
    const peerId = peer.toString();
    if (router.isShunned(peerId) || !this.#mayBeHeard(peerId)) return TopicValidatorResult.Ignore;
    try {
      return this.#hear(bytes) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore;
    } catch (error) {
      if (!isAceError(error)) {
        this.#options.log.error({ err: error }, 'gossip could not be judged');
        return TopicValidatorResult.Ignore;
      }
      if (error.reaction === 'ignore') return TopicValidatorResult.Ignore;
      router.penalize(peerId);
      this.#options.log.debug({ err: error, peer: peerId }, 'a peer passed on something invalid');
      return TopicValidatorResult.Reject;
    }
  }

  /** Whether it is news. */
  #hear(bytes: Uint8Array): boolean {
    const { isNews, proof } = this.witness.hear(decodeGossip(bytes));
    if (proof) this.contradicted(proof);
    return isNews;
  }

  #mayBeHeard(peerId: string): boolean {
    if (this.#perPeer.take(peerId).retryAfterMs > 0) return false;
    return this.#all.take('all').retryAfterMs === 0;
  }
}
