/**
 * Gossip of checkpoints (DESIGN.md, "Gossip"): says what this node's channels agreed on, listens to what others say,
 * and finds devices that say two things. What others say is checked before it is passed on, and bounded before that.
 */
import { TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import type { EquivocationProof } from '../../../../shared/channel/equivocation.ts';
import { type ChannelTerms, decodeCheckpoint, decodeTerms } from '../../../../shared/channel/records.ts';
import { isAceError } from '../../../../shared/errors.ts';
import type { ChannelObserver, LeasedCheckpoint } from '../../../channel/observer.ts';
import type { Log } from '../../../process/log.ts';
import { KeyedRateLimiter } from '../../../util/rate-limiter.ts';
import {
  ALL_BURST,
  ALL_PER_SECOND,
  checkpointTopic,
  MAX_UNSAID,
  PEER_BURST,
  PEER_PER_SECOND,
  REMEMBERED_CHANNELS,
  TELL_EVERY_MS,
  TELL_GROWTH,
  TELL_WITHIN_MS,
} from './constants.ts';
import { decodeTold, encodeTold } from './messages.ts';
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
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** A device was caught. @throws only what is logged */
  readonly onProof: (proof: EquivocationProof) => void;
}

/** What was said of a channel last. */
interface LastTold {
  readonly units: number;
  readonly atMs: number;
}

export class CheckpointGossip implements ChannelObserver {
  readonly witness: Witness;
  readonly #options: GossipOptions;
  /** How much may be heard of each peer, and of all together. */
  readonly #perPeer: KeyedRateLimiter;
  readonly #all: KeyedRateLimiter;
  readonly #told = new Map<string, LastTold>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.witness = new Witness(options);
    this.#perPeer = new KeyedRateLimiter({ burst: PEER_BURST, perSecond: PEER_PER_SECOND }, options.nowMs);
    this.#all = new KeyedRateLimiter({ burst: ALL_BURST, perSecond: ALL_PER_SECOND }, options.nowMs);
    const { pubsub } = options.router;
    const topic = checkpointTopic(options.networkId, options.shard);
    pubsub.topicValidators.set(topic, (peer, message) => this.#judge(peer, message.data));
    pubsub.subscribe(topic);
  }

  /** A channel of this node has a checkpoint that both sides signed. */
  countersigned(told: LeasedCheckpoint): void {
    const { nowMs, random } = this.#options;
    const { channelId, units, final } = decodeCheckpoint(told.record);
    const key = Buffer.from(channelId).toString('hex');
    const last = this.#told.get(key);
    const isDue = !last || final || units >= TELL_GROWTH * last.units || nowMs() - last.atMs >= TELL_EVERY_MS;
    if (!isDue || this.#stopped || this.#timers.size >= MAX_UNSAID) return;
    this.#told.delete(key);
    this.#told.set(key, { units, atMs: nowMs() });
    forgetOldest(this.#told, REMEMBERED_CHANNELS);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#say(told);
    }, random() * TELL_WITHIN_MS);
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

  #say(told: LeasedCheckpoint): void {
    const { router, networkId, log } = this.#options;
    // It is said for the others' sake: nothing of ours depends on it.
    const failed = (error: unknown) => log.debug({ err: error }, 'a checkpoint could not be passed on');
    try {
      const bytes = encodeTold(told);
      // What the other side of the channel said meanwhile is not said again.
      if (!this.#hear(bytes)) return;
      const { shard } = decodeTerms(told.terms);
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
    const { isNews, proof } = this.witness.hear(decodeTold(bytes));
    if (proof) this.contradicted(proof);
    return isNews;
  }

  #mayBeHeard(peerId: string): boolean {
    if (this.#perPeer.take(peerId).retryAfterMs > 0) return false;
    return this.#all.take('all').retryAfterMs === 0;
  }
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  const oldest = map.keys().next();
  if (map.size > most && !oldest.done) map.delete(oldest.value);
}
