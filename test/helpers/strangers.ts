/** Strangers that crowd one host; see `strangers-child.ts`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const CHILD = fileURLToPath(new URL('./strangers-child.ts', import.meta.url));

export class Strangers {
  readonly #child: ChildProcess;
  #said = '';

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#said = (this.#said + data.toString()).slice(-4_096);
    });
  }

  /** They come at once, so many a second, until the test ends. */
  static come(...args: readonly string[]): Strangers {
    const strangers = new Strangers(args);
    onTestFinished(() => strangers.leave());
    return strangers;
  }

  /** Fresh identities that have opened their stream so far. */
  get count(): number {
    return this.#latest('come');
  }

  /** Of those, with a connection that is open now. */
  get open(): number {
    return this.#latest('open');
  }

  async leave(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  #latest(word: string): number {
    return Number([...this.#said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
  }
}
