/**
 * The books that are exported. Where the node's own chain cannot go on in this program, nothing starts on the directory and brings
 * its books up to date, and the program that made them must still open them: then a copy is brought up to date and read.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAceError } from '../../shared/errors.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { checkChainOpens } from '../db/chain/store.ts';
import { openNodeStore } from '../db/node/store.ts';
import { stillFile } from '../db/still-file.ts';
import { type ExportRequest, JournalExport } from '../journal/export/export.ts';

export interface ExportBooks {
  readonly journal: JournalExport;
  close(): Promise<void>;
}

/** @throws AceError `DataDirMismatch`, `SchemaTooNew`, `StoreFailed` */
export async function openExportBooks(
  { nodeDb, validatorDir }: DataDir,
  request: ExportRequest,
): Promise<ExportBooks> {
  if (!isOfEarlier(new DataDir(validatorDir).chainDb)) {
    const journal = new JournalExport(nodeDb, request);
    return { journal, close: async () => journal.close() };
  }
  const scratchDir = await mkdtemp(join(tmpdir(), 'ace-node-export-'));
  const removeScratch = () => rm(scratchDir, { recursive: true, force: true });
  try {
    const copy = stillFile(nodeDb, scratchDir);
    // The file itself while another program has it open: that one's books are not touched.
    if (copy !== nodeDb) openNodeStore(copy).close();
    const journal = new JournalExport(copy, request);
    return {
      journal,
      close: async () => {
        journal.close();
        await removeScratch();
      },
    };
  } catch (error) {
    await removeScratch();
    throw error;
  }
}

function isOfEarlier(chainDb: string): boolean {
  if (!existsSync(chainDb)) return false;
  try {
    checkChainOpens(chainDb);
    return false;
  } catch (error) {
    return isAceError(error, 'SchemaTooOld');
  }
}
