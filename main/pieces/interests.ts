/** What a provider reports to have of the contents that a stream is about. Until its first report it counts as whole. */
import { LRUCache } from 'lru-cache';
import { type BucketState, refilled } from '../../shared/token-bucket.ts';
import { isHaveMap, mapHas } from '../content/have-map.ts';

interface Interest {
  readonly pieceCount: number;
  /** `null` until the provider answers. */
  bitmap: Uint8Array | null;
  /** Pieces that it refused, and until when its reports about them are ignored; `null` until its next report. */
  readonly lacks: Map<number, number | null>;
  /** How often it reported again to have what it refused. */
  untrue: number;
  newsBucket: BucketState;
  onHave(): void;
}

/** Contents that a stream asks about at once; the oldest are forgotten. */
export const MAX_INTERESTS = 32;
/** Reports about one content that notify at once: an answer, then one a second while the provider gets more. */
const NEWS_RATE = { perSecond: 2, burst: 8 } as const;
/** A piece that a provider claims to have after it refused it is asked for again after so long, doubled each time. */
const ASIDE_FIRST_MS = 2_000;
const ASIDE_MAX_MS = 60_000;

export class Interests {
  /** In the order in which they were asked about: reading refreshes nothing. */
  readonly #byContent = new LRUCache<string, Interest>({ max: MAX_INTERESTS });

  /** `false` when the content is known already. `onHave` is called for each new report about it. */
  add(contentId: string, pieceCount: number, onHave: () => void): boolean {
    const known = this.#byContent.peek(contentId);
    if (known) {
      known.onHave = onHave;
      return false;
    }
    const newsBucket = { tokens: NEWS_RATE.burst, atMs: performance.now() };
    this.#byContent.set(contentId, {
      pieceCount,
      bitmap: null,
      lacks: new Map(),
      untrue: 0,
      newsBucket,
      onHave,
    });
    return true;
  }

  /** Takes over a report. `false` when it is malformed. Reports beyond the rate are taken, and notify nobody. */
  update(contentId: string, bitmap: Uint8Array): boolean {
    const interest = this.#byContent.peek(contentId);
    if (!interest) return true; // asked about once, and forgotten since
    if (!isHaveMap(bitmap, interest.pieceCount)) return false;
    interest.bitmap = bitmap.slice();
    this.#setAside(interest);
    const bucket = refilled(interest.newsBucket, NEWS_RATE, performance.now());
    const isNews = bucket.tokens >= 1;
    interest.newsBucket = { ...bucket, tokens: bucket.tokens - Number(isNews) };
    if (isNews) interest.onHave();
    return true;
  }

  lacks(contentId: string, pieceIndex: number): void {
    this.#byContent.peek(contentId)?.lacks.set(pieceIndex, null);
  }

  /** Pieces that it refused and reports to have all the same are left alone for a while: they may have come, or be a lie. */
  #setAside(interest: Interest): void {
    const nowMs = performance.now();
    const { bitmap, lacks } = interest;
    const claimed = [...lacks.keys()].filter((index) => bitmap === null || mapHas(bitmap, index));
    const fresh = claimed.some((index) => lacks.get(index) === null);
    if (fresh) interest.untrue += 1;
    const untilMs = nowMs + Math.min(ASIDE_MAX_MS, ASIDE_FIRST_MS * 2 ** Math.min(16, interest.untrue - 1));
    for (const index of [...lacks.keys()]) {
      const until = lacks.get(index) ?? null;
      if (!claimed.includes(index) || (until !== null && until <= nowMs)) lacks.delete(index);
      else if (until === null) lacks.set(index, untilMs);
    }
  }

  has(contentId: string, pieceIndex: number): boolean {
    const interest = this.#byContent.peek(contentId);
    if (!interest) return true;
    const { bitmap, lacks } = interest;
    const asideUntilMs = lacks.get(pieceIndex);
    if (asideUntilMs === null || (asideUntilMs !== undefined && performance.now() < asideUntilMs))
      return false;
    return bitmap === null || mapHas(bitmap, pieceIndex);
  }

  /** Whether the provider has reported that it lacks some of the content. */
  isPartial(contentId: string): boolean {
    return (this.#byContent.peek(contentId)?.bitmap?.byteLength ?? 0) > 0;
  }
}
