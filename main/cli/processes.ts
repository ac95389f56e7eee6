/** Child processes of the demo: started from this same program, stopped by process id, whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { AceError } from '../../shared/errors.ts';
import { STOP_WITH_STDIN } from './pipes.ts';

export interface Child {
  readonly name: string;
  /** First line on stdout: a node's address or a validator's. */
  readonly ready: string;
  /** Asks it to stop cleanly and waits. @throws AceError `Internal` when it ended badly */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const KEPT_ERROR_LINES = 20;

export class ProcessGroup {
  readonly #entry: string;
  readonly #children = new Set<ChildProcess>();
  #ended = false;

  constructor(entry: string) {
    this.#entry = entry;
  }

  /** @throws AceError `Internal` with the child's own words when it does not get ready */
  async start(name: string, args: readonly string[]): Promise<Child> {
    if (this.#ended) throw new AceError('Internal', 'The demo was stopped');
    const child = spawn(process.execPath, [this.#entry, ...args], {
      // Its end of standard input closes with this process, even when that is killed: then it stops by itself.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, [STOP_WITH_STDIN]: '1' },
      // Its own group: Ctrl-C on the terminal reaches this process alone, which then stops the others in order.
      detached: true,
    });
    this.#children.add(child);
    const exited = once(child, 'exit').then(() => this.#children.delete(child));
    const errors: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      errors.push(line);
      if (errors.length > KEPT_ERROR_LINES) errors.shift();
    });
    const failed = (what: string) =>
      new AceError('Internal', `The demo's ${name} ${what}: ${errors.join(' / ')}`);
    const lines = createInterface({ input: child.stdout });
    const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
    const ready = await Promise.race([
      once(lines, 'line', { signal: timeout }).then(
        ([line]) => String(line),
        () => null,
      ),
      exited.then(() => null),
    ]);
    if (ready === null) {
      this.#kill(child);
      throw failed(timeout.aborted ? 'did not start in time' : 'ended at its start');
    }
    return {
      name,
      ready,
      stop: async () => {
        child.kill('SIGTERM');
        const killer = setTimeout(() => this.#kill(child), STOP_TIMEOUT_MS);
        await exited;
        clearTimeout(killer);
        if (child.exitCode !== 0) throw failed(`ended with ${child.exitCode ?? child.signalCode}`);
      },
    };
  }

  /** Ends everything at once: for a failure or an interruption. */
  async killAll(): Promise<void> {
    this.#ended = true;
    await Promise.all(
      [...this.#children].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
  }

  #kill(child: ChildProcess): void {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}
