/**
 * Writes the journal in one of the formats, entry by entry: what is in memory is one piece of text and, where a format
 * ends with balances, one sum for each open loan. Of what sharing brought it writes a table of its own.
 */
import { AceError } from '../../../shared/errors.ts';
import type { ExportFormat, ExportPeriod } from '../../../shared/journal/export.ts';
import { type NodeStore, openNodeStore } from '../../db/node/store.ts';
import { withStoreErrors } from '../../db/open.ts';
import { ContentLinks } from '../contents.ts';
import { beancountWriter } from './beancount.ts';
import { cointrackingWriter, csvWriter, koinlyWriter } from './csv.ts';
import type { ExportContext, ExportWriter } from './format.ts';
import { hledgerWriter } from './hledger.ts';
import { jsonlWriter } from './jsonl.ts';
import { sharingTable } from './sharing-table.ts';

export interface ExportRequest {
  readonly format: ExportFormat;
  readonly period: ExportPeriod;
  /** Begin with a byte order mark. CSV only. */
  readonly bom: boolean;
}

const WRITERS: Readonly<Record<Exclude<ExportFormat, 'sharing'>, (context: ExportContext) => ExportWriter>> =
  {
    csv: csvWriter,
    jsonl: jsonlWriter,
    hledger: hledgerWriter,
    beancount: beancountWriter,
    koinly: koinlyWriter,
    cointracking: cointrackingWriter,
  };

/** Text is handed on in pieces of about this size. */
const PIECE_CHARS = 65_536;

/** An unchanging picture of the journal in a node's file, which a running node may go on writing. */
export class JournalExport {
  readonly #store: NodeStore;
  readonly #request: ExportRequest;

  /** @throws AceError `DataDirMismatch`, `SchemaTooNew`, `StoreFailed` */
  constructor(path: string, request: ExportRequest) {
    this.#store = openNodeStore(path, { snapshot: true });
    this.#request = request;
  }

  /** Entries that will be written. */
  count(): number {
    if (this.#request.format === 'sharing') return 0;
    return withStoreErrors(() => this.#store.journal.count(this.#request.period));
  }

  /** The file, piece by piece. `onProgress` gets how many entries are done. @throws AceError `StoreFailed` */
  *pieces(onProgress: (done: number) => void = () => undefined): Generator<string> {
    const { format, period, bom } = this.#request;
    if (format === 'sharing') {
      yield* sharingTable(this.#store, period, bom, PIECE_CHARS);
      return;
    }
    const writer = WRITERS[format](this.#context());
    const links = new ContentLinks(this.#store);
    let piece = '';
    for (const text of writer.begin()) {
      piece += text;
      if (piece.length < PIECE_CHARS) continue;
      yield piece;
      piece = '';
    }
    let done = 0;
    for (const entry of this.#store.journal.entries(period)) {
      piece += writer.entry({ ...entry, contents: links.of(entry) });
      done += 1;
      if (piece.length < PIECE_CHARS) continue;
      yield piece;
      piece = '';
      onProgress(done);
    }
    piece += writer.end();
    if (piece !== '') yield piece;
    onProgress(done);
  }

  close(): void {
    this.#store.close();
  }

  #context(): ExportContext {
    const { journal, meta } = this.#store;
    const { period, bom } = this.#request;
    const account = meta.get('account');
    if (account === null) {
      throw new AceError('DataDirMismatch', 'This node has met no network yet: there is nothing to export');
    }
    return {
      account,
      networkId: meta.get('network') ?? '',
      period,
      bom,
      ledgerAccounts: () => journal.ledgerAccounts(),
      counterparties: () => journal.counterparties(),
      earlier: () => (period.fromMs > 0 ? journal.entries({ fromMs: 0, toMs: period.fromMs - 1 }) : []),
    };
  }
}
