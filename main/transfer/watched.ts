/**
 * Who brought what a player takes of one content, so that the time of watching it is reported on that provider's
 * channel, and so long as such time may still be added, that channel stays open.
 */
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import type { TransportFile } from '../content/transport-file.ts';
import type { Reader } from './demand.ts';
import { Viewing, type WatchLedger } from './viewing.ts';

/** What a player has taken is watched for so long after it took the last of it, at most: well within a lease's life. */
const WATCHED_AFTER_MS = 3 * 3_600_000;
/** A player that pauses reads nothing. It may come back for what is here already, whose watch time is then reported. */
const PAUSED_AFTER_MS = 10 * 60_000;

interface Brought {
  readonly ledger: WatchLedger;
  /** A player has taken some of it. */
  seen: boolean;
}

export class Watched {
  readonly #file: TransportFile;
  readonly #nowMs: () => number;
  readonly #viewing: Viewing;
  /** Pieces that came for a player since the start. */
  readonly #brought = new Map<number, Brought>();
  /** Pieces that came for a download: their bytes are no video, so their time is none either. */
  readonly #kept = new Set<number>();
  /** How many pieces of each provider no player has taken. */
  readonly #unseen = new Map<WatchLedger, number>();
  /** When a player took something last. */
  #takenAtMs = Number.NEGATIVE_INFINITY;

  constructor(file: TransportFile, nowMs: () => number) {
    this.#file = file;
    this.#nowMs = nowMs;
    this.#viewing = new Viewing(nowMs);
  }

  /** A piece has come. */
  arrived(pieceIndex: number, video: boolean, ledger: WatchLedger): void {
    if (!video) {
      this.#kept.add(pieceIndex);
      return;
    }
    this.#kept.delete(pieceIndex);
    this.#see(pieceIndex);
    this.#brought.set(pieceIndex, { ledger, seen: false });
    this.#unseen.set(ledger, (this.#unseen.get(ledger) ?? 0) + 1);
  }

  /** A reader has been given so many bytes of one piece: who watches them does so from now on. */
  taken(reader: Reader, start: number, lengthBytes: number): void {
    const { durationMs, sizeBytes } = this.#file;
    const pieceIndex = Math.floor(start / PIECE_BYTES);
    if (!reader.watches || this.#kept.has(pieceIndex)) return;
    const ledger = this.#brought.get(pieceIndex)?.ledger ?? null;
    this.#viewing.take(start, start + lengthBytes, durationMs / sizeBytes, ledger);
    this.#see(pieceIndex);
    this.#takenAtMs = this.#nowMs();
  }

  /** Whether watch time may still be added that only this provider's stream can report. */
  holds(ledger: WatchLedger, hasReaders: boolean, complete: boolean): boolean {
    const unseen = (this.#unseen.get(ledger) ?? 0) > 0;
    const awaits = this.#viewing.awaits(ledger);
    if (hasReaders) return unseen || awaits || this.#hasBrought(ledger);
    const restedMs = this.#nowMs() - this.#takenAtMs;
    if (awaits) return restedMs < WATCHED_AFTER_MS;
    // What is missing brings a stream of its own; until then nobody's capacity is kept for a player that is gone.
    return complete && unseen && restedMs < PAUSED_AFTER_MS;
  }

  /** Nobody watches any more. */
  end(): void {
    this.#viewing.end();
  }

  #hasBrought(ledger: WatchLedger): boolean {
    for (const brought of this.#brought.values()) if (brought.ledger === ledger) return true;
    return false;
  }

  #see(pieceIndex: number): void {
    const brought = this.#brought.get(pieceIndex);
    if (!brought || brought.seen) return;
    brought.seen = true;
    this.#unseen.set(brought.ledger, (this.#unseen.get(brought.ledger) ?? 1) - 1);
  }
}
