import { accountSet, type ChartAccount } from '../../../shared/journal/chart.ts';
import {
  decodeEntry,
  type EntryKey,
  type EntrySource,
  encodeEntry,
  type JournalEntry,
  ledgerAccount,
  SOURCES,
} from '../../../shared/journal/entry.ts';
import type { ExportPeriod } from '../../../shared/journal/export.ts';
import type { Database } from '../open.ts';
import { intact } from '../store-error.ts';

/** A sum of postings. */
export interface JournalBalance {
  /** With the counterparty, where the account has one below it for each. */
  readonly account: string;
  readonly commodity: string;
  /** Base units, or MiB. */
  readonly amount: bigint;
}

interface KeyColumns {
  readonly atMs: number;
  readonly source: number;
  readonly shard: number;
  readonly seq: number;
  readonly part: number;
}

/** What an entry is stored as. The last three are made of the entry, too. */
interface EntryRow extends KeyColumns {
  readonly accounts: number;
  readonly counterparty: string | null;
  readonly body: Uint8Array;
}

interface PageColumns {
  /** Bits of the accounts that are meant; `null` for all. */
  readonly accounts: number | null;
  readonly counterparty: string | null;
  readonly ofSource: number | null;
  readonly fromMs: number;
  readonly limit: number;
}

/** Which entries are meant; `null` for all. */
export interface JournalFilter {
  /** They touch one of these. */
  readonly accounts: readonly ChartAccount[] | null;
  readonly counterparty: string | null;
  readonly source: EntrySource | null;
  /** From this moment on. */
  readonly fromMs: number;
}

const KEY = 'at_ms, source, shard, source_seq, part';
const NEWEST = 'at_ms DESC, source DESC, shard DESC, source_seq DESC, part DESC';
/** The journal of this node's account, in the order of time. Append-only. */
export class JournalTable {
  readonly #insert;
  readonly #balance;
  readonly #setBalance;
  readonly #balances;
  readonly #page;
  readonly #pageOf;
  readonly #period;
  readonly #counterparties;
  readonly #count;
  readonly #row;
  readonly #ledgerAccounts;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO journal_entries (${KEY}, accounts, counterparty, body)
       VALUES (@atMs, @source, @shard, @seq, @part, @accounts, @counterparty, @body)`,
    );
    this.#balance = db
      .prepare<[string, string], string>(
        `SELECT amount FROM journal_balances WHERE account = ? AND commodity = ?`,
      )
      .pluck();
    this.#setBalance = db.prepare<[string, string, string]>(
      `INSERT INTO journal_balances (account, commodity, amount) VALUES (?, ?, ?)
       ON CONFLICT (account, commodity) DO UPDATE SET amount = excluded.amount`,
    );
    this.#balances = db.prepare<[], { account: string; commodity: string; amount: string }>(
      `SELECT account, commodity, amount FROM journal_balances ORDER BY account, commodity`,
    );
    const page = (index: string, counterparty: string) =>
      db
        .prepare<[KeyColumns & PageColumns], Uint8Array>(
          `SELECT body FROM journal_entries JOIN (
             SELECT ${KEY} FROM journal_entries INDEXED BY ${index}
             WHERE ${counterparty} AND (${KEY}) < (@atMs, @source, @shard, @seq, @part)
               AND at_ms >= @fromMs AND (@ofSource IS NULL OR source = @ofSource)
               AND (@accounts IS NULL OR accounts & @accounts <> 0)
             ORDER BY ${NEWEST} LIMIT @limit) USING (${KEY})
           ORDER BY ${NEWEST}`,
        )
        .pluck();
    this.#page = page('journal_by_account', 'true');
    this.#pageOf = page('journal_by_counterparty', 'counterparty = @counterparty');
    this.#period = db
      .prepare<[ExportPeriod], Uint8Array>(
        `SELECT body FROM journal_entries WHERE at_ms BETWEEN @fromMs AND @toMs ORDER BY ${KEY}`,
      )
      .pluck();
    this.#ledgerAccounts = db
      .prepare<[], string>(`SELECT DISTINCT account FROM journal_balances ORDER BY account`)
      .pluck();
    this.#row = db.prepare<[KeyColumns], Omit<EntryRow, keyof KeyColumns>>(
      `SELECT accounts, counterparty, body FROM journal_entries
       WHERE (${KEY}) = (@atMs, @source, @shard, @seq, @part)`,
    );
    this.#counterparties = db
      .prepare<[], string>(
        `SELECT DISTINCT counterparty FROM journal_entries WHERE counterparty IS NOT NULL ORDER BY counterparty`,
      )
      .pluck();
    this.#count = db
      .prepare<[ExportPeriod], number>(
        `SELECT count(*) FROM journal_entries WHERE at_ms BETWEEN @fromMs AND @toMs`,
      )
      .pluck();
  }

  /** Appends an entry and adds it to the sums. Belongs into the transaction that books its record. */
  append(entry: JournalEntry): void {
    this.#insert.run(rowOf(entry));
    for (const { account, commodity, amount } of entry.postings) {
      const name = ledgerAccount(entry, account);
      const before = this.#balance.get(name, commodity) ?? '0';
      this.#setBalance.run(name, commodity, String(intact(() => BigInt(before)) + amount));
    }
  }

  /** Sums that are not 0, by account and commodity. @throws AceError `StoreFailed` */
  balances(): JournalBalance[] {
    return this.#balances
      .all()
      .map((row) => ({ ...row, amount: intact(() => BigInt(row.amount)) }))
      .filter(({ amount }) => amount !== 0n);
  }

  /** Whether the entry is there, byte by byte, and found where pages and exports look for it. */
  holds(entry: JournalEntry): boolean {
    const made = rowOf(entry);
    const stored = this.#row.get(columnsOf(entry));
    return (
      stored !== undefined &&
      stored.accounts === made.accounts &&
      stored.counterparty === made.counterparty &&
      Buffer.compare(stored.body, made.body) === 0
    );
  }

  /** Newest first: of those before `before`, or, without it, before the moment `untilMs`. */
  page(
    filter: JournalFilter,
    before: EntryKey | { readonly untilMs: number },
    limit: number,
  ): JournalEntry[] {
    const { counterparty, source, fromMs } = filter;
    const accounts = filter.accounts && accountSet(filter.accounts);
    const ofSource = source === null ? null : SOURCES.indexOf(source);
    // Nothing stands before the first entry of a moment.
    const start =
      'untilMs' in before
        ? { atMs: before.untilMs, source: -1, shard: -1, seq: -1, part: -1 }
        : columnsOf(before);
    const select = counterparty === null ? this.#page : this.#pageOf;
    return select.all({ ...start, accounts, counterparty, ofSource, fromMs, limit }).map(decodeEntry);
  }

  /** Bytes of entries in order, as they are stored. Nothing may be written on this connection meanwhile. */
  bodies(period: ExportPeriod): IterableIterator<Uint8Array> {
    return this.#period.iterate(period);
  }

  /** In order. Nothing may be written on this connection meanwhile. */
  *entries(period: ExportPeriod): Generator<JournalEntry> {
    for (const body of this.#period.iterate(period)) yield decodeEntry(body);
  }

  /** Every account that a posting was ever made to, with its counterparty, once and in order. */
  ledgerAccounts(): IterableIterator<string> {
    return this.#ledgerAccounts.iterate();
  }

  count(period: ExportPeriod): number {
    return this.#count.get(period) ?? 0;
  }

  /** Each once, in order. Nothing may be written on this connection meanwhile. */
  counterparties(): IterableIterator<string> {
    return this.#counterparties.iterate();
  }
}

function rowOf(entry: JournalEntry): EntryRow {
  return {
    ...columnsOf(entry),
    accounts: accountSet(entry.postings.map(({ account }) => account)),
    counterparty: entry.counterparty,
    body: encodeEntry(entry),
  };
}

function columnsOf({ atMs, source, shard, seq, part }: EntryKey): KeyColumns {
  return { atMs, source: SOURCES.indexOf(source), shard, seq, part };
}
