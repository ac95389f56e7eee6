/**
 * Which pieces were sent on a channel lately, so that one that a broken connection lost is sent again without being
 * booked again: a viewer that comes back is not stopped by a debt it never got anything for. In memory: after a restart
 * of this node the debt stands.
 */
import { LRUCache } from 'lru-cache';

/** More than the largest window: what was sent before that has been paid. */
const REMEMBERED_PIECES = 64;
const REMEMBERED_CHANNELS = 1_000;
/** A piece is sent again so often at most. It gains its viewer no content, but costs upload a second time. */
const MAX_RESENDS = 1;

export interface SentPiece {
  /** Content id and piece index. */
  readonly key: string;
  readonly bytes: number;
  /** It was owed, and booked nothing. */
  readonly resend: boolean;
}

interface Remembered {
  readonly key: string;
  readonly bytes: number;
  resends: number;
}

/** Of one channel. */
export class SentPieces {
  readonly #sent: Remembered[] = [];
  #owed = new Map<string, Remembered>();

  /** What was committed. A piece that booked nothing is no new entry: it would be owed again, and again. */
  add({ key, bytes, resend }: SentPiece): void {
    if (resend) {
      this.#take(key);
      return;
    }
    // One that was booked twice keeps one count.
    this.#sent.push(this.#sent.find((p) => p.key === key) ?? { key, bytes, resends: 0 });
    if (this.#sent.length > REMEMBERED_PIECES) this.#sent.shift();
  }

  /**
   * A new stream takes the channel up: the last pieces may have been lost with the one before, as many as `unpaidBytes`
   * are. In bytes, as the viewer counts: by pieces, a short one would stand for a whole one.
   */
  reopened(unpaidBytes: number): void {
    this.#owed = new Map();
    let left = unpaidBytes;
    for (const piece of this.#sent.toReversed()) {
      if (piece.bytes > left || piece.resends >= MAX_RESENDS) continue;
      left -= piece.bytes;
      this.#owed.set(piece.key, piece);
    }
  }

  isOwed(key: string): boolean {
    return this.#owed.has(key);
  }

  #take(key: string): void {
    const piece = this.#owed.get(key);
    this.#owed.delete(key);
    if (piece) piece.resends += 1;
  }
}

/** Of all channels of this node, by channel id in hex. Of too many, the least recently used is forgotten. */
export class SentByChannel {
  readonly #byChannel = new LRUCache<string, SentPieces>({ max: REMEMBERED_CHANNELS });

  of(channel: string): SentPieces {
    const known = this.#byChannel.get(channel);
    if (known) return known;
    const pieces = new SentPieces();
    this.#byChannel.set(channel, pieces);
    return pieces;
  }
}
