/**
 * Which pieces were sent on a channel lately, so that one that a broken connection lost is sent again without being
 * booked again: a viewer that comes back is not stopped by a debt it never got anything for. In memory: after a restart
 * of this node the debt stands.
 */

/** More than the largest window: what was sent before that has been paid. */
const REMEMBERED_PIECES = 64;
const REMEMBERED_CHANNELS = 1_000;
/** A piece is sent again so often at most. Nobody gains content by it, but it costs upload a second time. */
const MAX_RESENDS = 1;

interface SentPiece {
  /** Content id and piece index. */
  readonly key: string;
  resends: number;
}

/** Of one channel. */
export class SentPieces {
  readonly #sent: SentPiece[] = [];
  #owed = new Map<string, SentPiece>();

  add(key: string): void {
    this.#sent.push({ key, resends: 0 });
    if (this.#sent.length > REMEMBERED_PIECES) this.#sent.shift();
  }

  /** A new stream takes the channel up: the last `unpaidUnits` pieces may have been lost with the one before. */
  reopened(unpaidUnits: number): void {
    const last = unpaidUnits > 0 ? this.#sent.slice(-unpaidUnits) : [];
    this.#owed = new Map(last.filter((p) => p.resends < MAX_RESENDS).map((p) => [p.key, p]));
  }

  isOwed(key: string): boolean {
    return this.#owed.has(key);
  }

  /** It is sent again. */
  take(key: string): void {
    const piece = this.#owed.get(key);
    this.#owed.delete(key);
    if (piece) piece.resends += 1;
  }
}

/** Of all channels of this node, by channel id in hex. The oldest are forgotten. */
export class SentByChannel {
  readonly #byChannel = new Map<string, SentPieces>();

  of(channel: string): SentPieces {
    const found = this.#byChannel.get(channel) ?? new SentPieces();
    this.#byChannel.delete(channel);
    this.#byChannel.set(channel, found);
    const oldest = this.#byChannel.keys().next();
    if (this.#byChannel.size > REMEMBERED_CHANNELS && !oldest.done) this.#byChannel.delete(oldest.value);
    return found;
  }
}
