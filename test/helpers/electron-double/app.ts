/** Starts the built main bundle on the double, and reaches into it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeWallet, protectionBy } from '../../../main/wallet/identity.ts';
import { waitFor } from '../wait.ts';
import type { Keys } from './state.ts';

export const ROOT = join(import.meta.dirname, '../../..');

export interface StartOptions {
  /** Arguments behind the program, as the system passes them. */
  readonly args?: readonly string[];
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly packaged?: boolean;
  /** What it answers when it is asked for the lock; Chromium's answer when left out. */
  readonly hasLock?: boolean;
  /** Whether the desktop shows tray icons, as far as it can be asked; on Linux it need not. It does when left out. */
  readonly trayHost?: boolean;
  readonly locale?: string;
  readonly displays?: readonly object[];
  readonly loginItem?: object;
  /** What Electron says of the system's key store; `null`: it does not answer. GNOME's when left out. */
  readonly keyStore?: string | null;
  readonly keys?: Keys;
  /** Nobody answers what the app asks in a box. */
  readonly nobodyThere?: boolean;
  /** Of the command line, as Chromium reads it. */
  readonly switches?: readonly string[];
  /** What the process says it runs on. */
  readonly platform?: NodeJS.Platform;
  /** As opened from its icon: nothing of the command line's options. */
  readonly byIcon?: boolean;
  /** What it says its code lies in, where that is not `root`. */
  readonly appPath?: string;
  /** Folder with out/ and resources/. */
  readonly root?: string;
  readonly resourcesDir?: string;
  /** Address that the node's pages are served on; loopback when left out. */
  readonly httpHost?: string;
  /** A validator of another process, instead of a devnet of its own; the app listens on loopback only then. */
  readonly joinMultiaddr?: string;
}

type Message = {
  id?: number;
  value?: unknown;
  error?: string;
  exit?: number;
  calls?: [string, ...unknown[]][];
};

const START_TIMEOUT_MS = 50_000;
const REGISTER = join(import.meta.dirname, 'register.ts');
const START = join(import.meta.dirname, 'start.ts');
const started = new Set<DoubleApp>();
const homes = new Set<string>();

/** A home folder of its own, until `endAll`. */
export function temporaryHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'ace-desktop-'));
  homes.add(home);
  return home;
}

/** Starts the app where the first start has been seen through: the node runs at once. */
export async function startApp(options: StartOptions = {}): Promise<DoubleApp> {
  const home = options.home ?? temporaryHome();
  await giveWallet(home);
  return new DoubleApp({ ...options, home }).up();
}

/** A wallet as a skipped first start leaves it. One that is there is kept. */
export async function giveWallet(home: string): Promise<void> {
  const path = join(home, 'data', 'wallet.json');
  if (existsSync(path)) return;
  mkdirSync(join(home, 'data'), { recursive: true, mode: 0o700 });
  await makeWallet(path, protectionBy(undefined));
}

export class DoubleApp {
  readonly home: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr = '';
  /** What `app.exit` was given, and all that was called until then. */
  exit: { readonly code: number; readonly calls: readonly [string, ...unknown[]][] } | null = null;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #nextId = 1;

  constructor(options: StartOptions) {
    this.home = options.home ?? temporaryHome();
    mkdirSync(this.home, { recursive: true });
    const { packaged, hasLock, trayHost, displays, loginItem, root = ROOT } = options;
    const { keyStore, keys, nobodyThere, switches, platform, appPath } = options;
    const config = {
      dataDir: this.dataDir,
      resourcesDir: options.resourcesDir ?? join(root, 'resources'),
      pagesDir: join(root, 'out/renderer'),
      httpPort: 0,
      ...(options.httpHost !== undefined && { httpHost: options.httpHost }),
      ...(options.joinMultiaddr !== undefined && {
        joinMultiaddr: options.joinMultiaddr,
        listen: ['/ip4/127.0.0.1/tcp/0'],
      }),
    };
    this.child = spawn(
      process.execPath,
      [
        ...['--unhandled-rejections=warn-with-error-code', '--import', REGISTER, START],
        ...[join(root, 'out/main/electron.js'), ...(options.args ?? [])],
      ],
      {
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
        env: {
          ...process.env,
          ...(options.byIcon ? { HOME: this.home } : { ACE_NODE_CONFIG: JSON.stringify(config) }),
          XDG_CONFIG_HOME: join(this.home, '.config'),
          DOUBLE_HOME: this.home,
          DOUBLE_ROOT: root,
          DOUBLE_RESOURCES: config.resourcesDir,
          DOUBLE_LOCALE: options.locale ?? 'en-US',
          DOUBLE_OPTIONS: JSON.stringify({
            ...{ packaged, hasLock, trayHost, displays, loginItem },
            ...{ keyStore, keys, nobodyThere, switches, platform, appPath },
          }),
          ...options.env,
        },
      },
    );
    this.child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
    });
    this.child.on('message', (message: Message) => {
      if (message.exit !== undefined) this.exit = { code: message.exit, calls: message.calls ?? [] };
      else this.#waiting.get(message.id ?? 0)?.(message);
    });
    this.ended = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
    started.add(this);
  }

  /** A node of its own, never the one of whoever runs the tests. */
  get dataDir(): string {
    return join(this.home, 'data');
  }

  /** Runs in the app's process: `electron` is the double with all that it has written down. */
  run<T = unknown>(code: string): Promise<T> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ value, error }) =>
        error === undefined ? resolve(value as T) : reject(new Error(error)),
      );
      this.child.send({ id, code });
      void this.ended.then(() => reject(new Error(`The app has ended: ${this.stderr}`)));
    });
  }

  /** A call of a page in the window. */
  call<T>(
    procedure: string,
    input: unknown = {},
    frame = "{ origin: 'app://ace-node', parent: null }",
  ): Promise<T> {
    return this.run<T>(
      `return electron.ipcMain.handlers.get('ace:call')({ senderFrame: ${frame} }, ${JSON.stringify(procedure)}, ${JSON.stringify(input)})`,
    );
  }

  /** What the first window's page was told on a topic of the feed. */
  async told<T>(topic: string): Promise<T[]> {
    const sent = await this.run<[string, string, T][]>(
      'return electron.BrowserWindow.all.flatMap(({ webContents }) => webContents.sent)',
    );
    return sent.filter(([method, name]) => method === 'ace:feed' && name === topic).map(([, , data]) => data);
  }

  windows(): Promise<number> {
    return this.run<number>('return electron.BrowserWindow.all.filter((each) => !each.destroyed).length');
  }

  /** The node runs or waits for its wallet; a window is open unless it was started hidden. */
  async up(): Promise<this> {
    const isUp = async () => {
      if (this.child.exitCode !== null) throw new Error(`It ended: ${this.stderr}`);
      return this.run<boolean>("return electron.ipcMain.handlers.has('ace:call')").catch(() => false);
    };
    await waitFor('the desktop app is up', isUp, START_TIMEOUT_MS);
    return this;
  }

  /** What it told in boxes before it ended, each as `title: text`; printed only, where it was not ready on Linux. */
  boxes(): string[] {
    return (this.exit?.calls ?? []).flatMap(([name, first, second]) => {
      if (name === 'dialog.showErrorBox') return [`${String(first)}: ${String(second)}`];
      if (name !== 'dialog.showMessageBox') return [];
      const { message, detail } = first as { message: string; detail: string };
      return [`${message}: ${detail}`];
    });
  }

  crashes(): { kind: string; errors: string[]; details: Record<string, unknown> }[] {
    const text = readFileSync(join(this.dataDir, 'reports', 'crashes.jsonl'), 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as never);
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
    started.delete(this);
  }
}

export async function endAll(): Promise<void> {
  for (const app of [...started]) await app.end();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
  homes.clear();
}
