/** The journal as pages ask for it: the entries behind a number, and the sums. */

import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { formatRatio } from '../../shared/economy/ratio.ts';
import { UNITS_PER_GB } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { CHART_ACCOUNTS, type ChartAccount, type Commodity } from '../../shared/journal/chart.ts';
import {
  type EntryKey,
  type EntrySource,
  type JournalEntry,
  ledgerAccount,
  SOURCES,
} from '../../shared/journal/entry.ts';
import type { JournalEntryView, JournalOutputs, PostingView } from '../../shared/rpc/journal.ts';
import type { NodeStore } from '../db/node/store.ts';
import { ContentLinks } from './contents.ts';
import { decimal, entryId } from './text.ts';

export interface EntriesQuery {
  readonly account?: string | readonly string[] | undefined;
  readonly commodity?: Commodity | undefined;
  readonly counterparty?: string | undefined;
  readonly source?: EntrySource | undefined;
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Pages read at once where only some entries touch the commodity. */
const MAX_READS = 20;

/** Newest first. @throws AceError `InvalidInput` for an account that is not in the chart */
export function entriesView(store: NodeStore, query: EntriesQuery): JournalOutputs['journalEntries'] {
  const { commodity, limit, counterparty = null, source = null, fromMs = 0 } = query;
  const { untilMs = Number.MAX_SAFE_INTEGER } = query;
  const accounts = accountsOf(query.account);
  const filter = { accounts, counterparty, source, fromMs };
  const entries: JournalEntry[] = [];
  let before = query.cursor === undefined ? null : keyOfCursor(query.cursor);
  for (let reads = 0; reads < MAX_READS && entries.length < limit; reads++) {
    const page = store.journal.page(filter, before ?? { untilMs }, limit);
    for (const entry of page) {
      before = entry;
      const touches = entry.postings.some(
        (posting) =>
          (commodity === undefined || posting.commodity === commodity) &&
          (accounts === null || accounts.includes(posting.account)),
      );
      if (touches || (accounts === null && commodity === undefined)) entries.push(entry);
      if (entries.length === limit) break;
    }
    if (page.length < limit) {
      if (entries.length < limit) before = null;
      break;
    }
  }
  const links = new ContentLinks(store);
  return {
    entries: entries.map((entry) => ({
      ...entryView(links, entry),
      automatic: entry.kind === 'deposit' && store.autoTopUps.has(entry.hash),
    })),
    next: before && cursorOf(before),
  };
}

export function balancesView(store: NodeStore): JournalOutputs['journalBalances'] {
  const balances = store.journal.balances().map(({ account, commodity, amount }): PostingView => {
    const known = commodity as Commodity;
    return { account, commodity: known, amount: decimal(amount, known) };
  });
  return { balances };
}

function entryView(links: ContentLinks, entry: JournalEntry): Omit<JournalEntryView, 'automatic'> {
  const { atMs, kind, direction, counterparty, shard, seq, batchNumber, price, note } = entry;
  const isSettled = entry.source === 'settlement';
  return {
    entry: entryId(entry),
    atMs,
    kind,
    direction,
    counterparty,
    settlement: isSettled ? { shard, seq, batchNumber } : null,
    height: isSettled ? null : seq,
    hash: toHex(entry.hash),
    price: price && { xacPerGb: formatAmount(priceOfUnits(UNITS_PER_GB, price)), exact: formatRatio(price) },
    channels: entry.channels.map(({ channelId, units }) => ({ channelId: toHex(channelId), units })),
    contents: links.of(entry),
    note,
    postings: entry.postings.map(({ account, commodity, amount }) => ({
      account: ledgerAccount(entry, account),
      commodity,
      amount: decimal(amount, commodity),
    })),
  };
}

/** The accounts and all below them; `null` for every entry. */
function accountsOf(names: string | readonly string[] | undefined): ChartAccount[] | null {
  if (names === undefined) return null;
  return [names].flat().flatMap((name) => {
    const accounts = CHART_ACCOUNTS.filter((account) => account === name || account.startsWith(`${name}:`));
    if (accounts.length > 0) return accounts;
    throw new AceError('InvalidInput', `The journal has no account ${name}`, {
      details: { field: 'account' },
    });
  });
}

function cursorOf({ atMs, source, shard, seq, part }: EntryKey): string {
  return [atMs, SOURCES.indexOf(source), shard, seq, part].join('.');
}

/** Of a cursor that the schema let pass. */
function keyOfCursor(cursor: string): EntryKey {
  const [atMs = 0, source = 0, shard = 0, seq = 0, part = 0] = cursor.split('.').map(Number);
  return { atMs, source: SOURCES[source] ?? 'operation', shard, seq, part };
}
