/** Titles of the library that a person chose to do something with all of them. They stay chosen while others are searched. */
import { SvelteSet } from 'svelte/reactivity';
import type { ContentView } from '../../shared/rpc/content.ts';

/** A broadcast is nothing that is paused, kept or removed. */
export function isSelectable({ live }: Pick<ContentView, 'live'>): boolean {
  return live === undefined;
}

export class TitleSelection {
  readonly #ids = new SvelteSet<string>();
  /** Where a range begins: what was chosen by itself last. */
  #anchor: string | null = null;
  /** What the last range has added, and a shorter one takes back. */
  #extension: readonly string[] = [];

  get count(): number {
    return this.#ids.size;
  }

  has(contentId: string): boolean {
    return this.#ids.has(contentId);
  }

  toggle(contentId: string): void {
    if (!this.#ids.delete(contentId)) this.#ids.add(contentId);
    this.#begin(contentId);
  }

  /** All from the one that was chosen last to this one, in the order in which they are shown. */
  extendTo(contentId: string, shown: readonly string[]): void {
    const [from, to] = [shown.indexOf(this.#anchor ?? ''), shown.indexOf(contentId)];
    if (from < 0 || to < 0) {
      this.#ids.add(contentId);
      this.#begin(contentId);
      return;
    }
    for (const id of this.#extension) this.#ids.delete(id);
    const range = shown.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#extension = range.filter((id) => !this.#ids.has(id));
    for (const id of range) this.#ids.add(id);
  }

  /** These as well. */
  addAll(contentIds: readonly string[]): void {
    for (const id of contentIds) this.#ids.add(id);
    this.#begin(null);
  }

  clear(): void {
    this.#ids.clear();
    this.#begin(null);
  }

  /** Forgets what is gone from the library. */
  keepOnly(contents: readonly ContentView[]): void {
    if (this.#ids.size === 0) return;
    const here = new Set(contents.map(({ contentId }) => contentId));
    for (const id of [...this.#ids]) if (!here.has(id)) this.#ids.delete(id);
  }

  #begin(anchor: string | null): void {
    this.#anchor = anchor;
    this.#extension = [];
  }
}
