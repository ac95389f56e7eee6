import type { JournalEntry } from '../../../shared/journal/entry.ts';
import type { ExportPeriod } from '../../../shared/journal/export.ts';
import type { LinkedContent } from '../contents.ts';

export interface ExportEntry extends JournalEntry {
  /** Of its channels, those with most traffic first, or the one whose access was bought. */
  readonly contents: readonly LinkedContent[];
}

export interface ExportContext {
  /** Whose journal, lower case. */
  readonly account: string;
  readonly networkId: string;
  readonly period: ExportPeriod;
  /** Begin with a byte order mark, as some spreadsheets want it. CSV only. */
  readonly bom: boolean;
  /** Every ledger account that was ever used, in order. */
  ledgerAccounts(): Iterable<string>;
  /** Every account that an entry ever named, in order. */
  counterparties(): Iterable<string>;
  /** Everything before the period, in order. */
  earlier(): Iterable<JournalEntry>;
}

/** Writes one file, in order: the text before the entries, each entry, the text after them. Keeps no entry. */
export interface ExportWriter {
  begin(): Iterable<string>;
  entry(entry: ExportEntry): string;
  end(): string;
}
