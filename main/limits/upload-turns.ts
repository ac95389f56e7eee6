/**
 * Who may be sent a piece now, and how fast. A provider with a cap takes on only as many pieces at once as the cap can
 * carry before their viewers lose patience; the others wait their turn, or are sent elsewhere, before anything is booked
 * for them. A piece that was begun is finished, whatever is stopped meanwhile. A viewer that takes its piece slower than
 * it may have it keeps its piece, but no place from others: one that never reads would have all wait for nothing.
 */
import { LEAST_RATE_BYTES } from '../../shared/schedule.ts';
import { Pacer } from './pacer.ts';
import type { UserLimits } from './user-limits.ts';

/** A place in the row. `end` it, whether its turn came or not. */
export interface UploadTurn {
  readonly state: 'waiting' | 'sending' | 'stopped';
  /** Bytes go out in small parts, one piece at a time. */
  readonly paced: boolean;
  /** Resolves when so many bytes may be sent. */
  pace(bytes: number): Promise<unknown>;
  end(): void;
}

const LOOK_MS = 100;
/** What the viewer may take in one turn for reading, all parts together, while others wait. */
const READING_MS = 3_000;

interface Place {
  state: UploadTurn['state'];
  /** Time that it has taken for reading, and since when it reads; `null` while it waits for the pace. */
  readMs: number;
  readsSinceMs: number | null;
  readonly onChange: () => void;
}

export class UploadTurns {
  readonly #limits: UserLimits;
  readonly #pacer: Pacer;
  readonly #waiting = new Set<Place>();
  readonly #sending = new Set<Place>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: UserLimits) {
    this.#limits = limits;
    this.#pacer = new Pacer(() => limits.rate('upload'));
    this.#unsubscribe = limits.onChange(() => {
      this.#pacer.changed();
      this.#next();
    });
  }

  /** `onChange` is called when the state is another one. */
  ask(onChange: () => void): UploadTurn {
    const place: Place = { state: 'waiting', readMs: 0, readsSinceMs: null, onChange };
    this.#waiting.add(place);
    this.#next(place);
    const { rate } = this;
    return {
      get state() {
        return place.state;
      },
      get paced() {
        return rate() !== null;
      },
      pace: (bytes) => this.#pace(place, bytes),
      end: () => {
        this.#waiting.delete(place);
        if (this.#sending.delete(place)) this.#next();
      },
    };
  }

  close(): void {
    this.#unsubscribe();
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #pace(place: Place, bytes: number): Promise<void> {
    place.readMs = readMsOf(place);
    place.readsSinceMs = null;
    await this.#pacer.take(bytes);
    place.readsSinceMs = performance.now();
  }

  readonly rate = (): number | null => this.#limits.rate('upload');

  /** `asking` knows what becomes of it without being told. */
  #next(asking?: Place): void {
    const state = this.#limits.stop('upload') ? 'stopped' : 'sending';
    for (const place of this.#waiting) {
      if (state === 'sending' && this.#sending.size >= this.#most() && !this.#passOver()) return;
      this.#waiting.delete(place);
      place.state = state;
      if (state === 'sending') this.#sending.add(place);
      if (place !== asking) place.onChange();
    }
  }

  /** Whether one that reads too slowly has lost its place. Otherwise it is looked again, as long as somebody waits. */
  #passOver(): boolean {
    const slowest = [...this.#sending].reduce((a, b) => (readMsOf(b) > readMsOf(a) ? b : a));
    const leftMs = READING_MS - readMsOf(slowest);
    if (leftMs <= 0) return this.#sending.delete(slowest);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        this.#next();
      },
      Math.max(LOOK_MS, leftMs),
    );
    return false;
  }

  #most(): number {
    const rate = this.rate();
    return rate === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(rate / LEAST_RATE_BYTES));
  }
}

function readMsOf({ readMs, readsSinceMs }: Place): number {
  return readsSinceMs === null ? readMs : readMs + performance.now() - readsSinceMs;
}
