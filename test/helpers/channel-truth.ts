/** What truly happened between a payer and a payee, counted apart from all books. */

/** What truly happened on one channel, whatever the books say or forgot. */
export interface ChannelTruth {
  readonly channelId: Uint8Array;
  /** Bytes that the payee sent, each once. */
  sentBytes: number;
  /** Bytes that reached the payer and were right. */
  verifiedBytes: number;
  /** Deepest tick that left the payer. */
  deepestTick: number;
}

export class Truth {
  readonly channels = new Map<string, ChannelTruth>();
  /** How often a side went on from an old copy of its books. */
  readonly rollbacks = { payer: 0, payee: 0 };

  of(channelId: Uint8Array): ChannelTruth {
    const key = Buffer.from(channelId).toString('hex');
    const found = this.channels.get(key);
    if (found) return found;
    const fresh = { channelId, sentBytes: 0, verifiedBytes: 0, deepestTick: 0 };
    this.channels.set(key, fresh);
    return fresh;
  }
}
