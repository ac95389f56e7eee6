/** Access that this account has sold, by title and day: sums of the journal's entries, each of which names its title. */
import type { JournalEntry } from '../../shared/journal/entry.ts';
import { figuresOf } from '../../shared/journal/figures.ts';
import type { NodeStore } from '../db/node/store.ts';
import { dayOf } from '../util/local-day.ts';

export interface SalesOfDay {
  readonly contentId: string;
  /** `2026-11-20`, of the clock of this machine. */
  readonly day: string;
  readonly count: number;
  /** Base units: what buyers paid, the network's fee out of it, and what arrived. */
  readonly grossXac: bigint;
  readonly feeXac: bigint;
  readonly netXac: bigint;
  /** Where buyers paid with XAS; its fee is out of it, too. */
  readonly netXas: bigint;
}

/** Read at once, and in all: what was sold before is in the exports. */
const PAGE_ENTRIES = 500;
const MAX_ENTRIES = 10_000;

/** Newest first. `contentId`: of this title alone. */
export async function salesByDay(
  { journal }: Pick<NodeStore, 'journal'>,
  contentId: string | null,
): Promise<SalesOfDay[]> {
  const sums = new Map<string, SalesOfDay>();
  for await (const entry of soldEntries(journal)) {
    if (contentId !== null && entry.note !== contentId) continue;
    const key = `${dayOf(entry.atMs)} ${entry.note}`;
    sums.set(key, added(sums.get(key), entry));
  }
  return [...sums.values()];
}

/** Between two pages the node does other things. */
async function* soldEntries(journal: Pick<NodeStore['journal'], 'page'>): AsyncGenerator<JournalEntry> {
  const filter = { accounts: ['income:access' as const], counterparty: null, source: null, fromMs: 0 };
  let before: JournalEntry | null = null;
  for (let read = 0; read < MAX_ENTRIES; read += PAGE_ENTRIES) {
    const page = journal.page(filter, before ?? { untilMs: Number.MAX_SAFE_INTEGER }, PAGE_ENTRIES);
    yield* page.filter(({ kind, direction }) => kind === 'access' && direction === 'in');
    before = page.at(-1) ?? null;
    if (page.length < PAGE_ENTRIES) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function added(before: SalesOfDay | undefined, entry: JournalEntry): SalesOfDay {
  const { XAC, XAS } = figuresOf(entry).paid;
  return {
    contentId: entry.note,
    day: dayOf(entry.atMs),
    count: (before?.count ?? 0) + 1,
    grossXac: (before?.grossXac ?? 0n) + XAC.gross,
    feeXac: (before?.feeXac ?? 0n) + XAC.fee,
    netXac: (before?.netXac ?? 0n) + XAC.net,
    netXas: (before?.netXas ?? 0n) + XAS.net,
  };
}
