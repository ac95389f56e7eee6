/** The gossipsub of one host, set up small: a few peers, little memory, and a score that the gossip itself decides. */
import { type GossipSub, type GossipSubComponents, gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { LRUCache } from 'lru-cache';
import { sha256 } from '../../../util/sha256.ts';
import { INVALID_TOLERATED, MAX_GOSSIP_BYTES, MESH_PEERS, PENALTY_MS } from './constants.ts';

/** Bounds what a peer can have us decode, and remember of what it listens to. */
const DECODE_LIMITS = {
  maxSubscriptions: 64,
  maxMessages: 64,
  maxIhaveMessageIDs: 256,
  maxIwantMessageIDs: 256,
  maxIdontwantMessageIDs: 64,
  maxControlMessages: 64,
  maxPeerInfos: 0,
};
const TOPIC_BYTES_PER_PEER = 32_768;
const MAX_RPC_BYTES = 64 * 1_024;
const MAX_UNSENT_BYTES = 256 * 1_024;
/** Long enough that a slow peer's copy is known as one. */
const SEEN_MS = 5 * 60_000;
const MESSAGE_ID_BYTES = 16;
/** Below this a peer is not listened to at all. */
const GRAYLIST = -100;
const MAX_PENALTIES = 1_000;

interface Penalty {
  invalid: number;
  untilMs: number;
}

export class GossipRouter {
  readonly #nowMs: () => number;
  readonly #onBytes: (bytes: number) => void;
  readonly #penalties = new LRUCache<string, Penalty>({ max: MAX_PENALTIES });
  #pubsub: GossipSub | null = null;

  /** `onBytes`: what the gossip sent or received on the wire. */
  constructor(nowMs: () => number, onBytes: (bytes: number) => void) {
    this.#nowMs = nowMs;
    this.#onBytes = onBytes;
  }

  /** What a host is made with. */
  readonly service = (components: GossipSubComponents): GossipSub => {
    this.#pubsub = gossipsub({
      globalSignaturePolicy: StrictNoSign,
      msgIdFn: ({ data }) => sha256(data).subarray(0, MESSAGE_ID_BYTES),
      D: MESH_PEERS,
      Dlo: 2,
      Dhi: 2 * MESH_PEERS,
      Dscore: 1,
      Dout: 1,
      Dlazy: 2,
      floodPublish: false,
      fallbackToFloodsub: false,
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      canRelayMessage: false,
      doPX: false,
      tagMeshPeers: false,
      awaitRpcHandler: true,
      awaitRpcMessageHandler: true,
      seenTTL: SEEN_MS,
      // Messages are small: telling that one need not be sent costs as much as the message.
      idontwantMinDataSize: 2 * MAX_GOSSIP_BYTES,
      maxInboundDataLength: MAX_RPC_BYTES,
      maxOutboundBufferSize: MAX_UNSENT_BYTES,
      maxTopicBytesPerPeer: TOPIC_BYTES_PER_PEER,
      decodeRpcLimits: DECODE_LIMITS,
      scoreParams: {
        appSpecificScore: (peerId) => this.#scoreOf(peerId),
        appSpecificWeight: 1,
        // A household, a carrier's NAT or one test machine is no crime.
        IPColocationFactorWeight: 0,
      },
      scoreThresholds: { graylistThreshold: GRAYLIST },
      metricsTopicStrToLabel: new Map(),
      metricsRegister: byteCounter(this.#onBytes),
    })(components);
    return this.#pubsub;
  };

  /** @throws when no host was made with it yet */
  get pubsub(): GossipSub {
    if (!this.#pubsub) throw new Error('no host was made with this gossip');
    return this.#pubsub;
  }

  /** A peer passed on something that it should have refused. */
  penalize(peerId: string): void {
    const invalid = (this.#current(peerId)?.invalid ?? 0) + 1;
    this.#penalties.set(peerId, { invalid, untilMs: this.#nowMs() + PENALTY_MS });
  }

  /** It was penalized too often, and not long ago. */
  isShunned(peerId: string): boolean {
    return (this.#current(peerId)?.invalid ?? 0) > INVALID_TOLERATED;
  }

  #scoreOf(peerId: string): number {
    const invalid = this.#current(peerId)?.invalid ?? 0;
    return invalid > INVALID_TOLERATED ? 2 * GRAYLIST : -invalid;
  }

  #current(peerId: string): Penalty | null {
    const penalty = this.#penalties.peek(peerId);
    return penalty && penalty.untilMs > this.#nowMs() ? penalty : null;
  }
}

type Register = NonNullable<NonNullable<Parameters<typeof gossipsub>[0]>['metricsRegister']>;

/** The library counts its bytes only as metrics: of these, two are kept. */
function byteCounter(onBytes: (bytes: number) => void): Register {
  const COUNTED = new Set(['gossipsub_rpc_recv_bytes_total', 'gossipsub_rpc_sent_bytes_total']);
  const nothing = {
    inc: () => undefined,
    set: () => undefined,
    addCollect: () => undefined,
    startTimer: () => () => undefined,
    observe: () => undefined,
    reset: () => undefined,
  };
  return {
    gauge: ({ name }: { name: string }) =>
      COUNTED.has(name) ? { ...nothing, inc: (bytes = 1) => onBytes(bytes) } : nothing,
    histogram: () => nothing,
    avgMinMax: () => nothing,
  } as unknown as Register;
}
