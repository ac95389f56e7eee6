/**
 * Remembers what payers' devices signed lately, and notices two things that cannot both be honest.
 *
 * In memory, the least recently heard forgotten first: what is heard is never needed to be paid, so a commit for each
 * message would buy nothing. After a restart a contradiction is noticed when either half is heard again; what matters
 * durably, each channel's checkpoint and each claim, is in the books of its parties and of the shard.
 */
import { LRUCache } from 'lru-cache';
import { sameBytes } from '../../../../shared/bytes.ts';
import {
  anchorProof,
  checkpointProof,
  type EquivocationProof,
  type SignedRecord,
} from '../../../../shared/channel/equivocation.ts';
import { type ChannelTerms, encodeLease } from '../../../../shared/channel/records.ts';
import { AceError } from '../../../../shared/errors.ts';
import { fromHex, toHex } from '../../../../shared/hex.ts';
import { sha256 } from '../../../util/sha256.ts';
import { verifyDevice } from '../../../wallet/device.ts';
import { CHANNEL_BURST, CHANNEL_EVERY_MS, REMEMBERED_CHANNELS, REMEMBERED_CHECKPOINTS } from './constants.ts';
import type { ReadCheckpoint } from './messages.ts';

export interface WitnessOptions {
  readonly networkId: string;
  /** Raw key, in hex, of the validator of each shard. */
  readonly validatorKeys: readonly string[];
  readonly nowMs: () => number;
  /** A clock that nobody sets. */
  readonly clockMs: () => number;
}

interface Remembered {
  readonly anchorKey: string;
  readonly terms: SignedRecord;
  readonly leaseSignature: Uint8Array;
  /** News of it that were passed on, less what the rate limit has given back by `passedOnAtMs`. */
  passedOn: number;
  passedOnAtMs: number;
  /** The newest, oldest first. */
  readonly checkpoints: (SignedRecord & { readonly number: number })[];
}

/** Nobody can claim on a channel this long after its expiry: gossip of it is not worth passing on then. */
const GRACE_MS = 3_600_000;

export interface Heard {
  /** Not heard before, and not too much of one channel: worth passing on. */
  readonly isNews: boolean;
  readonly proof: EquivocationProof | null;
}

export class Witness {
  readonly #options: WitnessOptions;
  /** By channel id in hex; the least recently heard is forgotten first. */
  readonly #channels = new LRUCache<string, Remembered>({
    max: REMEMBERED_CHANNELS,
    dispose: ({ anchorKey }, key, reason) => {
      if (reason === 'evict' && this.#anchors.get(anchorKey) === key) this.#anchors.delete(anchorKey);
    },
  });
  /** Channel id by anchor and device. */
  readonly #anchors = new Map<string, string>();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  get rememberedChannels(): number {
    return this.#channels.size;
  }

  /**
   * Checks a checkpoint, at most three signatures, and remembers it. There is a proof when it contradicts what was
   * heard before.
   * @throws AceError `WrongNetwork`, `ChannelExpired` (ignore), `ChannelMismatch`, `ChannelUnleased`, `InvalidSignature`
   */
  hear(heard: ReadCheckpoint): Heard {
    const { decodedTerms: terms, checkpoint, record, payerSignature } = heard;
    if (terms.networkId !== this.#options.networkId) {
      throw new AceError('WrongNetwork', `Gossip of network ${terms.networkId}`, { reaction: 'drop-peer' });
    }
    if (this.#options.nowMs() >= terms.expiresAtMs + GRACE_MS) {
      throw new AceError('ChannelExpired', 'Gossip of a channel that is over');
    }
    const channelId = sha256(heard.terms);
    if (!sameBytes(channelId, checkpoint.channelId)) {
      throw new AceError('ChannelMismatch', 'The checkpoint is of another channel than its terms', {
        reaction: 'drop-peer',
      });
    }
    const key = toHex(channelId);
    const known = this.#channels.peek(key);
    if (known?.checkpoints.some((one) => sameBytes(one.record, record)))
      return { isNews: false, proof: null };
    // Other signatures of the same would make endless messages of one.
    if (
      !known ||
      !sameBytes(known.terms.signature, heard.termsSignature) ||
      !sameBytes(known.leaseSignature, heard.leaseSignature)
    ) {
      checkChannel(heard, channelId, this.#options.validatorKeys);
    }
    checkSigned(terms.payerDevice, record, payerSignature, 'checkpoint');

    const reused = this.contradictedTerms(terms, { record: heard.terms, signature: heard.termsSignature });
    const remembered = this.#remember(key, known, heard);
    const signed = { number: checkpoint.number, record, signature: payerSignature };
    const other = remembered.checkpoints.find(({ number }) => number === signed.number);
    const isNews = this.#mayPassOn(remembered);
    if (other) return { isNews, proof: checkpointProof(heard.terms, other, signed) };
    remembered.checkpoints.push(signed);
    remembered.checkpoints.sort((a, b) => a.number - b.number);
    if (remembered.checkpoints.length > REMEMBERED_CHECKPOINTS) remembered.checkpoints.shift();
    return { isNews, proof: reused };
  }

  /** A proof when the same device was heard to use the anchor of these terms, whose signature was checked, elsewhere. */
  contradictedTerms(terms: ChannelTerms, signed: SignedRecord): EquivocationProof | null {
    const channel = this.#anchors.get(anchorKeyOf(terms));
    const earlier = channel === undefined ? undefined : this.#channels.peek(channel);
    if (!earlier || sameBytes(earlier.terms.record, signed.record)) return null;
    return anchorProof(earlier.terms, signed);
  }

  #mayPassOn(channel: Remembered): boolean {
    const nowMs = this.#options.clockMs();
    const sinceMs = Math.max(0, nowMs - channel.passedOnAtMs);
    channel.passedOn = Math.max(0, channel.passedOn - sinceMs / CHANNEL_EVERY_MS);
    channel.passedOnAtMs = nowMs;
    if (channel.passedOn + 1 > CHANNEL_BURST) return false;
    channel.passedOn += 1;
    return true;
  }

  #remember(key: string, known: Remembered | undefined, heard: ReadCheckpoint): Remembered {
    const remembered = known ?? {
      anchorKey: anchorKeyOf(heard.decodedTerms),
      terms: { record: heard.terms, signature: heard.termsSignature },
      leaseSignature: heard.leaseSignature,
      passedOn: 0,
      passedOnAtMs: 0,
      checkpoints: [],
    };
    this.#channels.set(key, remembered);
    if (!this.#anchors.has(remembered.anchorKey)) this.#anchors.set(remembered.anchorKey, key);
    return remembered;
  }
}

function checkChannel(heard: ReadCheckpoint, channelId: Uint8Array, validatorKeys: readonly string[]): void {
  const { shard, capacityUnits, expiresAtMs, payerDevice } = heard.decodedTerms;
  const validatorKey = validatorKeys[shard];
  const lease = encodeLease({ channelId, shard, capacityUnits, expiresAtMs });
  if (validatorKey === undefined || !verifyDevice(fromHex(validatorKey), lease, heard.leaseSignature)) {
    throw new AceError('ChannelUnleased', 'Gossip of a channel that no shard leased', {
      reaction: 'drop-peer',
    });
  }
  checkSigned(payerDevice, heard.terms, heard.termsSignature, 'terms');
}

function checkSigned(device: Uint8Array, bytes: Uint8Array, signature: Uint8Array, what: string): void {
  if (verifyDevice(device, bytes, signature)) return;
  throw new AceError('InvalidSignature', `The ${what} in the gossip: not signed by the payer’s device`, {
    reaction: 'drop-peer',
  });
}

function anchorKeyOf({ anchor, payerDevice }: ChannelTerms): string {
  return Buffer.concat([anchor, payerDevice]).toString('base64');
}
