/** The shell without a window: the same pages, in the user's own browser. */
import packageJson from '../../package.json' with { type: 'json' };
import { AceError, isAceError } from '../../shared/errors.ts';
import { DEFAULT_HTTP_PORT } from '../data-dir/config.ts';
import { readControl } from '../data-dir/control-file.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { type NodeConfig, type RunningNode, startNode } from '../node/node.ts';
import { createCrashReports } from '../process/crash-reports.ts';
import { stopSignal } from '../process/stop-signals.ts';
import { hostNote } from '../rpc/host-note.ts';
import { runningNode } from './node-connection.ts';
import { withPassphrase } from './passphrase.ts';

/**
 * Runs until a stop signal or the `shutdown` procedure, then stops the node cleanly. A later signal does not wait.
 * Standard output gets exactly one line: the address with the token, for people to click and programs to read. The
 * token is in the fragment, which browsers never send anywhere.
 */
export async function runHeadless(config: NodeConfig): Promise<void> {
  const dataDir = new DataDir(config.dataDir);
  await checkNotRunning(dataDir); // before a passphrase is asked for
  const node = await startNode(await withPassphrase(config)).catch(async (error: unknown) => {
    if (isAceError(error, 'DataDirInUse')) await checkNotRunning(dataDir);
    throw error;
  });
  const reports = createCrashReports({
    folder: dataDir.reports,
    version: packageJson.version,
    secrets: () => [node.http.token, config.passphrase],
  });
  // Only written down: the process ends as it would without.
  process.on('uncaughtExceptionMonitor', (error) => reports.report('unhandled', error));
  const signalled = stopSignal(); // a reader of the address may send one at once
  process.stdout.write(`${pagesAddress(node.http)}\n`);
  for (const note of [portNote(config, node.http), hostNote(config, node.http), ...(await pushNotes(node))]) {
    if (note !== null) process.stderr.write(`${note}\n`);
  }
  process.stderr.write(await walletNote(node));

  await Promise.race([signalled, node.stopped]);
  await node.stop();
}

/** A second start is most often somebody who looks for the pages. @throws AceError `DataDirInUse`, with their address */
async function checkNotRunning(dataDir: DataDir): Promise<void> {
  // What answers there, and is no node, is no reason not to start: the lock decides.
  const running = await runningNode(dataDir).catch(() => null);
  const at = readControl(dataDir);
  await running?.close();
  if (running === null || at === null) return;
  throw new AceError(
    'DataDirInUse',
    `The node runs already: open ${pagesAddress(at)} (another one takes a --data-dir of its own; this one is in ${dataDir.path})`,
  );
}

export function pagesAddress(http: { readonly url: string; readonly token: string }): string {
  return `${http.url.replace(/\/?$/, '/')}#token=${encodeURIComponent(http.token)}`;
}

/** Encoders push to the address that they were given: it holds no more once the node has another port. */
async function pushNotes({ service, http, lastPort }: RunningNode): Promise<string[]> {
  if (lastPort === null || lastPort === http.port) return [];
  const broadcasts = await service.broadcasts({});
  return broadcasts
    .filter(({ ended, folder }) => !ended && folder === null)
    .map(
      ({ name, pushUrl }) =>
        `The port is another one than last time: the encoder of "${name}" must push to ${pushUrl} now`,
    );
}

/** What there is to do about the wallet; most often nothing. */
async function walletNote({ service }: RunningNode): Promise<string> {
  const { status, running, failure } = await service.walletState({});
  if (status === 'none') return 'There is no wallet yet: make or restore one on the page\n';
  if (failure !== null)
    return `The node waits: ${failure.message}. Try again, or choose another network, on the page\n`;
  if (!running) return 'The wallet is locked: unlock it on the page, or with ace-node wallet unlock\n';
  if (status === 'locked') {
    return 'The wallet is locked: the node shares, earns and pays within its leases. To send, swap, mint or buy: ace-node wallet unlock\n';
  }
  return '';
}

/** Players and scripts look at the usual port by themselves; another has to be given to them. */
export function portNote(
  { httpPort }: { readonly httpPort?: number },
  http: { readonly url: string; readonly port: number },
): string | null {
  if (httpPort !== undefined || http.port === DEFAULT_HTTP_PORT) return null;
  return `Port ${DEFAULT_HTTP_PORT} is in use by another program: give players ${http.url} instead`;
}
