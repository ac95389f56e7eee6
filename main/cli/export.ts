/** `ace-node export --format F [--from DATE] [--to DATE] [--out FILE]`: the journal for another program. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AceError } from '../../shared/errors.ts';
import { EXPORT_FILES, parseExportFormat, parseExportPeriod } from '../../shared/journal/export.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { storeError } from '../db/open.ts';
import { onStopSignal } from '../process/stop-signals.ts';
import { givenPath } from '../util/given-path.ts';
import { openExportBooks } from './export-books.ts';
import { checkNodeFolder } from './node-connection.ts';
import { createProgress } from './progress.ts';
import { checkTarget, STANDARD_OUTPUT, saveAs } from './save-file.ts';

export interface ExportOptions {
  readonly format: string;
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
  /** Overwrite the file that is there. */
  readonly force: boolean;
  readonly bom: boolean;
}

/**
 * Reads the node's file beside a node that may be running on it.
 * @throws AceError `InvalidInput`, `NodeNotRunning` (there is no node), `StoreFailed`, …
 */
export async function exportCommand(config: NodeConfig, options: ExportOptions): Promise<void> {
  const format = parseExportFormat(options.format);
  if (options.bom && !EXPORT_FILES[format].suffix.endsWith('csv')) {
    throw new AceError('InvalidInput', `--bom is for tables: ${format} has none`);
  }
  const period = parseExportPeriod(options.from, options.to);
  const isOutput = options.out === undefined || options.out === STANDARD_OUTPUT;
  const out = isOutput ? null : givenPath(options.out);
  if (out !== null) await checkTarget(out, options.force);
  const dataDir = new DataDir(config.dataDir);
  checkNodeFolder(dataDir);
  const books = await openExportBooks(dataDir, { format, period, bom: options.bom });
  const { journal } = books;
  const progress = createProgress('Exporting', process.stderr, (done) => done.toLocaleString('en'));
  const giveUp = new AbortController();
  onStopSignal(() => giveUp.abort(new AceError('PeerClosed', 'Interrupted: nothing was exported')));
  try {
    const total = journal.count();
    const pieces = journal.pieces((done) => progress.update(done, total, 'entries'));
    const write = (to: NodeJS.WritableStream) =>
      pipeline(Readable.from(pieces), to, { signal: giveUp.signal, end: to !== process.stdout });
    await (out === null ? write(process.stdout) : saveAs(out, write));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // `export … | head`: the reader has enough.
    if (code !== 'EPIPE')
      throw giveUp.signal.aborted ? giveUp.signal.reason : storeError(error, out ?? 'output');
  } finally {
    progress.end();
    await books.close();
  }
  if (out !== null) process.stdout.write(`${out}\n`);
}
