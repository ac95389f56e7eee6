/** Which titles of the library are shown, and in which order. */
import type { ContentView } from '../../shared/rpc/content.ts';
import { inLocale } from './locale.ts';

export const LIBRARY_ORDERS = ['newest', 'name', 'size', 'sent'] as const;
export type LibraryOrder = (typeof LIBRARY_ORDERS)[number];

/** "Part 2" comes before "Part 10". */
const byName = inLocale((tag) => new Intl.Collator(tag, { numeric: true, sensitivity: 'base' }));

/** @param search words that all stand in the name, or the beginning of an id or a link */
export function shownTitles(
  contents: readonly ContentView[],
  search: string,
  order: LibraryOrder,
): readonly ContentView[] {
  const wanted = plain(search)
    .trim()
    .replace(/^(ace|acestream):(\/\/)?/, '');
  const words = wanted.split(/\s+/).filter((word) => word !== '');
  const found =
    words.length === 0
      ? contents
      : contents.filter(({ contentId, name }) => {
          const title = plain(name);
          return words.every((word) => title.includes(word)) || contentId.startsWith(wanted);
        });
  return found.toSorted(comparing(order));
}

function comparing(order: LibraryOrder): (a: ContentView, b: ContentView) => number {
  const newest = (a: ContentView, b: ContentView) => b.addedAtMs - a.addedAtMs;
  switch (order) {
    case 'newest':
      return newest;
    case 'name': {
      const { compare } = byName();
      return (a, b) => compare(a.name, b.name) || newest(a, b);
    }
    case 'size':
      return (a, b) => b.sizeBytes - a.sizeBytes || newest(a, b);
    case 'sent':
      return (a, b) => b.servedUnits - a.servedUnits || newest(a, b);
  }
}

/** As two people type the same name differently: in capitals, or with letters of another form. */
function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Where a key leads in a list of `count` rows; `null` for a key that leads nowhere. */
export function rowAfter(key: string, row: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return Math.min(row + 1, count - 1);
    case 'ArrowUp':
      return Math.max(row - 1, 0);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
