/** `app`: what may be asked before it is ready and what only then, and how it ends. */
import { EventEmitter } from 'node:events';
import { lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import {
  beforeReady,
  calls,
  isReadyNow,
  note,
  options,
  places,
  plain,
  preventable,
  setReady,
  windows,
} from './state.ts';

/** From when on the time is the app's own. */
const entryAtMs = performance.now();
const isReady = Promise.withResolvers<void>();
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Once the entry has been evaluated, what it awaits at its top included (lib/browser/init.ts, `appCodeLoaded`). */
export function becomeReady(): void {
  setTimeout(() => {
    setReady();
    takeSignals();
    isReady.resolve();
    app.emit('ready');
    if (quitsWhenReady) app.exit(0);
  }, 50);
}

/**
 * shell/browser/electron_browser_main_parts_posix.cc: Electron's handlers take the place of Node's, for one signal each:
 * it quits, and the next one of its kind kills. Node puts its own in their place again with the first listener of a kind.
 */
function takeSignals(): void {
  for (const signal of STOP_SIGNALS) {
    const hadListener = process.listenerCount(signal) > 0;
    process.removeAllListeners(signal);
    const own = () => {
      if (!hadListener && process.listenerCount(signal) > 1) return;
      process.removeAllListeners(signal);
      app.quit();
    };
    process.on(signal, own);
  }
}

/** app.quit() before there is a message loop ends the process when there is one (shell/browser/browser.cc, `Shutdown`). */
let quitsWhenReady = false;

/** What Chromium takes for a switch: base/command_line.cc. Nothing behind `--` is one. */
function switchesOf(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).flatMap((arg) => /^--?([^=]+)/.exec(arg)?.[1] ?? []);
}

/** shell/app/electron_main_delegate.cc, `BasicStartupComplete`. */
function hasSwitch(name: string): boolean {
  if (name === 'no-sandbox' && process.env.ELECTRON_DISABLE_SANDBOX !== undefined) return true;
  return options.switches?.includes(name) || switchesOf(process.argv.slice(2)).includes(name);
}

/**
 * chrome/browser/process_singleton_posix.cc: a link that names the process that has the lock. What a process that is gone has left is
 * taken over; where no link can be made (`LOCK_ERROR`), electron_api_app.cc answers as if another process had it.
 */
function takeLock(folder: string): boolean {
  const lock = join(folder, 'SingletonLock');
  const exists = () => lstatSync(lock, { throwIfNoEntry: false }) !== undefined;
  try {
    if (exists()) {
      if (isAlive(Number(readlinkSync(lock).split('-').at(-1)))) return false;
      unlinkSync(lock);
    }
    symlinkSync(`${hostname()}-${process.pid}`, lock);
  } catch {
    return false;
  }
  process.once('exit', () => exists() && unlinkSync(lock));
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

class App extends EventEmitter {
  /** lib/browser/api/app.ts: by the program's name alone. */
  isPackaged = options.packaged ?? false;
  /** The name in its package.json, or the one of the program that runs a checkout. */
  #name = options.packaged ? 'ace-node' : 'Electron';
  #quitting = false;
  readonly commandLine = { hasSwitch };
  paths = new Map<string, string>();
  loginItem: Record<string, unknown> = { openAtLogin: false, wasOpenedAtLogin: false, ...options.loginItem };
  protocols = new Map<string, string>();

  getPath(name: string): string {
    const set = this.paths.get(name);
    if (set !== undefined) return set;
    const path = name === 'home' ? places.home : join(places.home, name);
    // shell/app/electron_main_delegate.cc, `ElectronPathProvider`: Electron's own choice is made.
    if (name === 'userData') mkdirSync(path, { recursive: true });
    return path;
  }
  setPath(name: string, path: string): void {
    beforeReady('app.setPath');
    // electron_api_app.cc, `SetPath`; docs/api/app.md has that a folder must be there.
    if (!isAbsolute(path)) throw new Error('Path must be absolute');
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new Error('Failed to set path');
    this.paths.set(name, path);
  }
  getAppPath(): string {
    return options.appPath ?? places.root;
  }
  getName(): string {
    return this.#name;
  }
  setName(name: string): void {
    note('app.setName', name);
    this.#name = name;
  }
  isReady(): boolean {
    return isReadyNow();
  }
  getVersion(): string {
    return '0.1.0';
  }
  getLocale(): string {
    // Electron does not throw: it knows none yet.
    return isReadyNow() ? places.locale : '';
  }
  enableSandbox(): void {
    beforeReady('app.enableSandbox');
    note('app.enableSandbox');
  }
  requestSingleInstanceLock(): boolean {
    note('app.requestSingleInstanceLock', this.getPath('userData'));
    return options.hasLock ?? takeLock(this.getPath('userData'));
  }
  whenReady(): Promise<void> {
    return isReady.promise;
  }
  setAppUserModelId(id: string): void {
    note('app.setAppUserModelId', id);
  }
  getApplicationNameForProtocol(url: string): string {
    return this.protocols.get(url) ?? '';
  }
  setAsDefaultProtocolClient(scheme: string): boolean {
    note('app.setAsDefaultProtocolClient', scheme);
    return true;
  }
  getLoginItemSettings(): object {
    // shell/browser/browser_mac.mm: set when the app has finished launching.
    return isReadyNow() ? this.loginItem : { ...this.loginItem, wasOpenedAtLogin: false };
  }
  setLoginItemSettings(settings: object): void {
    note('app.setLoginItemSettings', settings);
    Object.assign(this.loginItem, settings);
  }
  quit(): void {
    note('app.quit', { entryMs: performance.now() - entryAtMs });
    // shell/browser/browser.cc, `Quit`: `is_quitting_`.
    if (this.#quitting) return;
    const event = preventable();
    this.emit('before-quit', event);
    if (event.defaultPrevented) return;
    // shell/browser/browser.cc: the windows first, each of which may prevent it; `window-all-closed` does not come.
    this.#quitting = true;
    for (const window of windows) if (!window.destroyed) window.close();
    this.#quitting = false;
    if (windows.some(({ destroyed }) => !destroyed)) return;
    const will = preventable();
    this.emit('will-quit', will);
    if (will.defaultPrevented) return;
    this.emit('quit', {}, 0);
    if (isReadyNow()) this.exit(0);
    else quitsWhenReady = true;
  }
  relaunch(options: object): void {
    note('app.relaunch', options);
  }
  get quitting(): boolean {
    return this.#quitting;
  }
  exit(code = 0): void {
    process.send?.({ exit: code, calls: plain(calls) }, () => process.exit(code));
  }
}
export const app = new App();
