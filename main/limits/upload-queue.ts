/**
 * The queue of viewers that wait to be sent a piece, and how fast each is sent. A provider with a cap takes on only as many pieces at once as the cap can
 * carry before their viewers lose patience; the others stay in the queue, or are sent elsewhere, before anything is booked
 * for them. A piece that was begun is finished, whatever is stopped meanwhile. A viewer that takes its piece slower than
 * it may have it keeps its piece, but no place from others: one that never reads would have all wait for nothing.
 */
import { LEAST_RATE_BYTES } from '../../shared/schedule.ts';
import { ByteRateLimiter } from './byte-rate-limiter.ts';
import type { UserLimits } from './user-limits.ts';

/** A place in the queue. Call `end` in any case, sent or not. */
export interface QueuedUpload {
  readonly state: 'waiting' | 'sending' | 'stopped';
  /** How long nothing is sent, where that ends by itself. */
  readonly stoppedForMs: number | null;
  /** Bytes go out in small parts, one piece at a time. */
  readonly isRateLimited: boolean;
  /** Resolves when so many bytes may be sent. */
  waitForRate(bytes: number): Promise<unknown>;
  end(): void;
}

const LOOK_MS = 100;
/** What a viewer may take to read one piece, all parts together, while others wait. */
const READING_MS = 3_000;

interface Place {
  state: QueuedUpload['state'];
  /** Time that it has taken for reading, and since when it reads; `null` while it waits for the rate limiter. */
  readMs: number;
  readsSinceMs: number | null;
  readonly onChange: () => void;
}

export class UploadQueue {
  readonly #limits: UserLimits;
  readonly #rateLimiter: ByteRateLimiter;
  readonly #waiting = new Set<Place>();
  readonly #sending = new Set<Place>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: UserLimits) {
    this.#limits = limits;
    this.#rateLimiter = new ByteRateLimiter(() => limits.rate('upload'));
    this.#unsubscribe = limits.onChange(() => {
      this.#rateLimiter.changed();
      this.#next();
    });
  }

  /** `onChange` is called when the state is another one. */
  enqueue(onChange: () => void): QueuedUpload {
    const place: Place = { state: 'waiting', readMs: 0, readsSinceMs: null, onChange };
    this.#waiting.add(place);
    this.#next(place);
    const { rate } = this;
    const stoppedForMs = () => this.#limits.stoppedForMs('upload');
    return {
      get state() {
        return place.state;
      },
      get stoppedForMs() {
        return stoppedForMs();
      },
      get isRateLimited() {
        return rate() !== null;
      },
      waitForRate: (bytes) => this.#waitForRate(place, bytes),
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

  async #waitForRate(place: Place, bytes: number): Promise<void> {
    place.readMs = readMsOf(place);
    place.readsSinceMs = null;
    await this.#rateLimiter.take(bytes);
    place.readsSinceMs = performance.now();
  }

  readonly rate = (): number | null => this.#limits.rate('upload');

  /** `asking` reads its state itself and is not notified. */
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
