/**
 * A process of its own for a command that runs inside this one: its streams, environment, arguments, signals and exit
 * code. Code that a command started sees it as `process`; all other code goes on with the real one. Commands can thus run
 * side by side in one test file.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import realProcess from 'node:process';
import { PassThrough, Writable } from 'node:stream';

/** What ends a command that calls `process.exit`. Nothing that it does afterwards is heard of. */
class Exited extends Error {}

export class ProcessOfCommand {
  readonly signals = new EventEmitter();
  readonly stdin = new PassThrough();
  readonly #listeners = new Set<(stream: 'stdout' | 'stderr', text: string) => void>();
  /** What the command sees as `process`. */
  readonly seen: NodeJS.Process;
  #exited: { readonly code: number } | null = null;

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv) {
    const own = {
      argv: [...realProcess.argv.slice(0, 2), ...argv],
      env,
      exitCode: undefined as number | undefined,
      stdin: this.stdin,
      stdout: this.#output('stdout'),
      stderr: this.#output('stderr'),
      on: this.signals.on.bind(this.signals),
      once: this.signals.once.bind(this.signals),
      off: this.signals.off.bind(this.signals),
      exit: (code?: number) => {
        this.#exited ??= { code: code ?? own.exitCode ?? 0 };
        throw new Exited(`process.exit(${code})`);
      },
    };
    this.seen = Object.setPrototypeOf(own, realProcess) as NodeJS.Process;
  }

  get exitCode(): number {
    return this.#exited?.code ?? Number(this.seen.exitCode ?? 0);
  }

  onOutput(listener: (stream: 'stdout' | 'stderr', text: string) => void): void {
    this.#listeners.add(listener);
  }

  /** What `work` starts, however much later, is a part of this command. */
  run<T>(work: () => T): T {
    return current.run(this, work);
  }

  #output(name: 'stdout' | 'stderr'): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        if (this.#exited === null) for (const listener of this.#listeners) listener(name, chunk.toString());
        done();
      },
    });
  }
}

const current = new AsyncLocalStorage<ProcessOfCommand>();

/** For the sources, which know the process as a global. */
Object.defineProperty(globalThis, 'process', {
  configurable: true,
  get: () => current.getStore()?.seen ?? realProcess,
});

/** For commander, and for modules that kept the global when they were loaded: both hold the real one. */
for (const name of ['argv', 'stdout', 'stderr', 'exit', 'on', 'once', 'off'] as const) {
  const descriptor = Object.getOwnPropertyDescriptor(realProcess, name);
  const read = descriptor?.get ?? (() => realValue);
  let realValue: unknown = descriptor?.get ? undefined : realProcess[name];
  Object.defineProperty(realProcess, name, {
    configurable: true,
    enumerable: descriptor?.enumerable ?? false,
    get: () => {
      const command = current.getStore();
      return command === undefined ? read.call(realProcess) : Reflect.get(command.seen, name);
    },
    set: (value: unknown) => {
      realValue = value;
    },
  });
}
