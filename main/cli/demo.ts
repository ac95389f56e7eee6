/**
 * `ace-node demo`: the credit story, and access that is sold, with real processes. A validator, two providers and a viewer, each
 * with a data directory of its own, exchange a file; at the end all books are opened and compared.
 */
import { constants } from 'node:fs';
import { access, mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { makeFolder } from '../db/make-folder.ts';
import { storeError } from '../db/store-error.ts';
import { exitCodeOf, STOP_SIGNALS } from '../process/stop-signals.ts';
import { reportTable } from './demo-report.ts';
import { Demo } from './demo-run.ts';
import { ProcessGroup } from './processes.ts';

export interface DemoOptions {
  /** This program, for the child processes. */
  readonly entry: string;
  readonly file: string;
  readonly json: boolean;
  /** Kept instead of a temporary folder. */
  readonly dataDir?: string;
}

export async function demoCommand(options: DemoOptions): Promise<void> {
  const info = await stat(options.file).catch((cause) => {
    throw new AceError('FileMissing', `There is no file ${options.file}`, { cause });
  });
  if (!info.isFile()) throw new AceError('FileUnreadable', `${options.file} is not a file`);
  if (info.size === 0)
    throw new AceError('ContentEmpty', `${options.file} is empty: there is nothing to stream`);

  const demo = new Demo({
    group: new ProcessGroup(options.entry),
    dir: await demoDir(options.dataDir),
    isDirKept: options.dataDir !== undefined,
    file: options.file,
    sizeBytes: info.size,
  });
  const interrupt = new AbortController();
  // A second signal finds the same clean-up under way; nothing is left behind for being impatient.
  const onSignal = (signal: NodeJS.Signals) => {
    interrupt.abort();
    demo.close().finally(() => process.exit(exitCodeOf(signal)));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  try {
    const result = await demo.run();
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${reportTable(result)}\n`);
    if (!result.conserved || !result.sha256Match) process.exitCode = 1;
  } catch (error) {
    // What breaks because everything is being stopped is no news.
    if (!interrupt.signal.aborted) throw error;
  } finally {
    await demo.close();
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  }
}

/**
 * A temporary folder, or the empty one that was given: the story begins with nothing.
 * @throws AceError `DataDirInUse`, `DataDirNotWritable`, `StoreFailed`
 */
async function demoDir(dataDir: string | undefined): Promise<string> {
  try {
    if (dataDir === undefined) return await mkdtemp(join(tmpdir(), 'ace-node-demo-'));
    makeFolder(dataDir);
    const inside = await readdir(dataDir);
    await access(dataDir, constants.W_OK | constants.X_OK);
    if (inside.length === 0) return dataDir;
  } catch (error) {
    throw storeError(error, dataDir ?? tmpdir());
  }
  throw new AceError('DataDirInUse', `${dataDir} is not empty: the demo needs a new folder`);
}
