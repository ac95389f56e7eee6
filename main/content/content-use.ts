/**
 * When each content was used last, and what is in use now. Noted in memory and saved now and then: after a kill it is up to a
 * minute old.
 */
import type { NodeStore } from '../db/node/store.ts';

const SAVE_USE_MS = 60_000;

export class ContentUse {
  readonly #store: NodeStore;
  readonly #nowMs: () => number;
  readonly #held = new Map<string, number>();
  readonly #usedAtMs = new Map<string, number>();
  #savedAtMs: number;

  constructor(store: NodeStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
    this.#savedAtMs = nowMs();
  }

  /** It is in use until the answer is called: with `false` when it came to no use. */
  hold(contentId: string): (isUsed?: boolean) => void {
    this.touch(contentId);
    this.#held.set(contentId, (this.#held.get(contentId) ?? 0) + 1);
    let isHeld = true;
    return (isUsed = true) => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#held.get(contentId) ?? 1) - 1;
      if (left > 0) this.#held.set(contentId, left);
      else this.#held.delete(contentId);
      if (isUsed) this.touch(contentId);
    };
  }

  isHeld(contentId: string): boolean {
    return this.#held.has(contentId);
  }

  /** It is used now. */
  touch(contentId: string): void {
    const nowMs = this.#nowMs();
    this.#usedAtMs.set(contentId, nowMs);
    if (nowMs - this.#savedAtMs >= SAVE_USE_MS) this.save();
  }

  /** `undefined`: not since it was saved. */
  usedAtMs(contentId: string): number | undefined {
    return this.#usedAtMs.get(contentId);
  }

  save(): void {
    this.#savedAtMs = this.#nowMs();
    if (this.#usedAtMs.size === 0) return;
    this.#store.commit(() => {
      for (const [contentId, atMs] of this.#usedAtMs) this.#store.contents.touch(contentId, atMs);
    });
    this.#usedAtMs.clear();
  }

  forget(contentId: string): void {
    this.#usedAtMs.delete(contentId);
  }
}
