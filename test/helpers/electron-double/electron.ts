/**
 * What stands in for the `electron` module when the built main bundle runs on plain Node. It keeps the rules that the
 * bundle could break (what must happen before the app is ready, and what only after), writes down what it was told,
 * and lets the test that started the process look and act: a message `{ id, code }` runs `code` with everything here.
 * Where it behaves as the real module does in a way that surprises, the file of Electron's sources that says so is named;
 * docs/electron.md lists what it cannot show.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as self from './electron.ts';

type Any = (...args: never[]) => unknown;

const { DOUBLE_HOME = '', DOUBLE_ROOT = '', DOUBLE_LOCALE = 'en-US' } = process.env;
const options = JSON.parse(process.env.DOUBLE_OPTIONS ?? '{}') as {
  packaged?: boolean;
  hasLock?: boolean;
  trayFails?: boolean;
  displays?: { id: number; workArea: Bounds }[];
  loginItem?: object;
  /** The name of the system's key store; `null`: it does not answer. */
  keyStore?: string | null;
  /** What the key store does when it is asked: its key, Chromium's own that everybody knows, or none now. */
  keys?: 'own' | 'known' | 'away';
  /** Nobody answers what the app asks in a box. */
  nobodyThere?: boolean;
  switches?: string[];
};

interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Everything that was called, in order. */
export const calls: [name: string, ...args: unknown[]][] = [];
let ready = false;

function note(name: string, ...args: unknown[]): void {
  calls.push([name, ...args]);
}

function beforeReady(name: string): void {
  if (ready) throw new Error(`${name} must be called before the app is ready`);
}

function afterReady(name: string): void {
  if (!ready) throw new Error(`${name} cannot be used before the app is ready`);
}

/** An event that can be prevented, as Electron's are. */
export function preventable(): { defaultPrevented: boolean; preventDefault(): void } {
  return {
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
  };
}

/** From when on the time is the app's own. */
const entryAtMs = performance.now();
const isReady = Promise.withResolvers<void>();
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Once the entry has been evaluated, what it awaits at its top included (lib/browser/init.ts, `appCodeLoaded`). */
export function becomeReady(): void {
  setTimeout(() => {
    ready = true;
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

class App extends EventEmitter {
  isPackaged = options.packaged ?? false;
  #name = 'Electron';
  #quitting = false;
  readonly commandLine = { hasSwitch: (name: string) => options.switches?.includes(name) ?? false };
  paths = new Map<string, string>();
  loginItem: Record<string, unknown> = { openAtLogin: false, wasOpenedAtLogin: false, ...options.loginItem };
  protocols = new Map<string, string>();

  getPath(name: string): string {
    return this.paths.get(name) ?? (name === 'home' ? DOUBLE_HOME : join(DOUBLE_HOME, name));
  }
  setPath(name: string, path: string): void {
    beforeReady('app.setPath');
    if (!existsSync(path)) throw new Error(`No such folder: ${path}`);
    this.paths.set(name, path);
  }
  getAppPath(): string {
    return DOUBLE_ROOT;
  }
  getName(): string {
    return this.#name;
  }
  setName(name: string): void {
    note('app.setName', name);
    this.#name = name;
  }
  isReady(): boolean {
    return ready;
  }
  getVersion(): string {
    return '0.1.0';
  }
  getLocale(): string {
    // Electron does not throw: it knows none yet.
    return ready ? DOUBLE_LOCALE : '';
  }
  enableSandbox(): void {
    beforeReady('app.enableSandbox');
    note('app.enableSandbox');
  }
  requestSingleInstanceLock(): boolean {
    note('app.requestSingleInstanceLock', this.getPath('userData'));
    return options.hasLock ?? true;
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
    return ready ? this.loginItem : { ...this.loginItem, wasOpenedAtLogin: false };
  }
  setLoginItemSettings(settings: object): void {
    note('app.setLoginItemSettings', settings);
    Object.assign(this.loginItem, settings);
  }
  quit(): void {
    note('app.quit', { entryMs: performance.now() - entryAtMs });
    const event = preventable();
    this.emit('before-quit', event);
    if (event.defaultPrevented) return;
    // shell/browser/browser.cc: the windows first, each of which may prevent it; `window-all-closed` does not come.
    this.#quitting = true;
    for (const window of BrowserWindow.all) if (!window.destroyed) window.close();
    this.#quitting = false;
    if (BrowserWindow.all.some(({ destroyed }) => !destroyed)) return;
    const will = preventable();
    this.emit('will-quit', will);
    if (will.defaultPrevented) return;
    this.emit('quit', {}, 0);
    if (ready) this.exit(0);
    else quitsWhenReady = true;
  }
  relaunch(): void {
    note('app.relaunch');
  }
  get quitting(): boolean {
    return this.#quitting;
  }
  exit(code = 0): void {
    process.send?.({ exit: code, calls: plain(calls) }, () => process.exit(code));
  }
}
export const app = new App();

class WebContents extends EventEmitter {
  mainFrame: { origin: string; parent: unknown } = { origin: 'null', parent: null };
  openHandler: Any | null = null;
  sent: unknown[][] = [];
  downloads: string[] = [];
  reloads = 0;
  isDestroyed(): boolean {
    return false;
  }
  setWindowOpenHandler(handler: Any): void {
    this.openHandler = handler;
  }
  send(...args: unknown[]): void {
    this.sent.push(structuredClone(args));
  }
  downloadURL(url: string): void {
    this.downloads.push(url);
  }
  reload(): void {
    this.reloads += 1;
    setTimeout(() => this.emit('did-finish-load'), 10);
  }
}

export class BrowserWindow extends EventEmitter {
  static all: BrowserWindow[] = [];
  readonly options: Record<string, unknown>;
  readonly webContents = new WebContents();
  url = '';
  title = 'Ace Node';
  progress = 0;
  visible = false;
  focused = false;
  maximized = false;
  destroyed = false;
  bounds: Bounds;

  constructor(given: Record<string, unknown>) {
    super();
    afterReady('BrowserWindow');
    this.options = given;
    const { x = 10, y = 10, width = 800, height = 600 } = given as Partial<Bounds>;
    this.bounds = { x, y, width, height };
    BrowserWindow.all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  async loadURL(url: string): Promise<void> {
    this.url = url;
    this.webContents.mainFrame = {
      origin: new URL(url).host === '' ? 'null' : `app://${new URL(url).host}`,
      parent: null,
    };
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.emit('ready-to-show');
    this.webContents.emit('did-finish-load');
  }
  show(): void {
    this.visible = true;
    this.focused = true;
  }
  hide(): void {
    this.visible = false;
    this.focused = false;
  }
  isVisible(): boolean {
    return this.visible;
  }
  focus(): void {
    // shell/browser/native_window_views.cc: of a window that is not shown, nothing happens.
    if (this.visible) this.focused = true;
  }
  isFocused(): boolean {
    return this.focused;
  }
  isMinimized(): boolean {
    return false;
  }
  isMaximized(): boolean {
    return this.maximized;
  }
  maximize(): void {
    // shell/browser/native_window_views.cc: a window that is maximized is shown.
    this.visible = true;
    this.maximized = true;
    this.emit('maximize');
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  getNormalBounds(): Bounds {
    return this.bounds;
  }
  setTitle(title: string): void {
    this.title = title;
  }
  setProgressBar(progress: number): void {
    this.progress = progress;
  }
  /** As when the user closes it. */
  close(): void {
    const event = preventable();
    this.emit('close', event);
    if (event.defaultPrevented) return;
    this.destroyed = true;
    this.webContents.emit('destroyed');
    this.emit('closed');
    if (!app.quitting && BrowserWindow.all.every(({ destroyed }) => destroyed)) app.emit('window-all-closed');
  }
}

export class Tray extends EventEmitter {
  static all: Tray[] = [];
  toolTip = '';
  menu: { template: { label?: string; click?: () => void }[] } | null = null;
  constructor() {
    super();
    afterReady('Tray');
    if (options.trayFails) throw new Error('no tray here');
    Tray.all.push(this);
  }
  setToolTip(text: string): void {
    this.toolTip = text;
  }
  setContextMenu(menu: Tray['menu']): void {
    this.menu = menu;
  }
  destroy(): void {
    note('tray.destroy');
  }
}

export const Menu = {
  buildFromTemplate: (template: object[]) => ({ template }),
  setApplicationMenu: (menu: unknown) => note('Menu.setApplicationMenu', menu),
};

export class Notification extends EventEmitter {
  static all: Notification[] = [];
  static isSupported = () => true;
  readonly options: object;
  constructor(given: object) {
    super();
    this.options = given;
  }
  show(): void {
    Notification.all.push(this);
  }
  close(): void {}
}

export const nativeImage = {
  createFromPath: (path: string) => ({ path, isEmpty: () => false }),
};

export const dialog = {
  errors: [] as [string, string][],
  chosen: [] as string[],
  /** Before the app is ready it goes to stderr; after that it holds up the process until somebody answers. */
  showErrorBox(title: string, text: string): void {
    dialog.errors.push([title, text]);
    note('dialog.showErrorBox', title, text);
    if (ready && options.nobodyThere) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  async showMessageBox(box: { message: string; detail?: string }): Promise<{ response: number }> {
    afterReady('dialog.showMessageBox');
    dialog.errors.push([box.message, box.detail ?? '']);
    note('dialog.showMessageBox', box);
    if (options.nobodyThere) await new Promise(() => {});
    return { response: 0 };
  },
  showOpenDialog: async () => ({ canceled: dialog.chosen.length === 0, filePaths: dialog.chosen }),
};

export const ipcMain = {
  handlers: new Map<string, Any>(),
  handle(method: string, handler: Any): void {
    if (ipcMain.handlers.has(method)) throw new Error(`${method} is handled already`);
    ipcMain.handlers.set(method, handler);
  },
  removeHandler: (method: string) => ipcMain.handlers.delete(method),
};

export const protocol = {
  handlers: new Map<string, Any>(),
  registerSchemesAsPrivileged(schemes: object[]): void {
    beforeReady('protocol.registerSchemesAsPrivileged');
    note('protocol.registerSchemesAsPrivileged', schemes);
  },
  handle(scheme: string, handler: Any): void {
    afterReady('protocol.handle');
    protocol.handlers.set(scheme, handler);
  },
};

/**
 * Encrypts with a key that stays with the system, here with the home folder; or, where the desktop has no key store that
 * answers, with Chromium's own, which stands in its sources: by the first three letters, whatever the name of the key store
 * (components/os_crypt/async/browser, shell/browser/api/electron_api_safe_storage.cc).
 */
const { keyStore = 'gnome_libsecret', keys = keyStore === 'basic_text' ? 'known' : 'own' } = options;
const KNOWN_KEY = createHash('sha256').update('peanuts').digest();
const keyFile = join(DOUBLE_HOME, 'key-store');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function systemKey(): Buffer {
  afterReady('safeStorage');
  if (keyStore === null) throw new Error('the key store does not answer');
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32));
  return readFileSync(keyFile);
}

function keyOf(prefix: string): Buffer {
  return prefix === 'v10' ? KNOWN_KEY : systemKey();
}

export const safeStorage = {
  /** Whether there is anything that encrypts, which Linux always has. */
  async isAsyncEncryptionAvailable() {
    return ready && keyStore !== null;
  },
  getSelectedStorageBackend() {
    afterReady('safeStorage');
    return keyStore ?? 'unknown';
  },
  async encryptStringAsync(text: string) {
    afterReady('safeStorage');
    const prefix = keys === 'own' ? 'v11' : 'v10';
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', keyOf(prefix), nonce);
    const body = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([Buffer.from(prefix), nonce, cipher.getAuthTag(), body]);
  },
  async decryptStringAsync(all: Buffer) {
    afterReady('safeStorage');
    const prefix = all.subarray(0, 3).toString();
    if (keys !== 'own' && prefix === 'v11') {
      throw new Error(
        keys === 'away'
          ? 'safeStorage.decryptStringAsync is temporarily unavailable. Please try again.'
          : 'Error while decrypting the ciphertext provided to safeStorage.decryptStringAsync.',
      );
    }
    const sealed = all.subarray(3);
    const decipher = createDecipheriv('aes-256-gcm', keyOf(prefix), sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
    return { result: Buffer.concat([body, decipher.final()]).toString(), shouldReEncrypt: false };
  },
};

class Session extends EventEmitter {
  handlers = new Map<string, Any>();
  #keep = (name: string) => (handler: Any, more?: Any) => {
    this.handlers.set(name, more ?? handler);
    if (more) this.handlers.set(`${name}Filter`, () => handler);
  };
  setPermissionRequestHandler = this.#keep('permissionRequest');
  setPermissionCheckHandler = this.#keep('permissionCheck');
  setDevicePermissionHandler = this.#keep('devicePermission');
  webRequest = {
    onBeforeRequest: this.#keep('beforeRequest'),
    onBeforeSendHeaders: this.#keep('beforeSendHeaders'),
    onHeadersReceived: this.#keep('headersReceived'),
  };
}
export const session = { defaultSession: new Session() };

export const shell = {
  opened: [] as string[],
  paths: [] as string[],
  openExternal: async (url: string) => void shell.opened.push(url),
  openPath: async (path: string) => {
    shell.paths.push(path);
    return '';
  },
};

const MAIN_DISPLAY = { id: 1, workArea: { x: 0, y: 0, width: 1_920, height: 1_080 } };
export const nativeTheme = { shouldUseDarkColors: false };

export const screen = {
  getPrimaryDisplay() {
    afterReady('screen');
    return options.displays?.[0] ?? MAIN_DISPLAY;
  },
  getAllDisplays() {
    afterReady('screen');
    return options.displays ?? [MAIN_DISPLAY];
  },
};

export const powerMonitor = new EventEmitter();

/**
 * The end of the session on Windows (shell/browser/native_window_views_win.cc): every window is asked, and may prevent it;
 * otherwise it is told, and the process is gone. Without a window nobody is asked.
 */
export function endSession(): 'prevented' | never {
  const windows = BrowserWindow.all.filter(({ destroyed }) => !destroyed);
  const asked = windows.map((window) => {
    const event = { ...preventable(), reasons: ['shutdown'] };
    window.emit('query-session-end', event);
    return event.defaultPrevented;
  });
  if (asked.some(Boolean)) return 'prevented';
  for (const window of windows) window.emit('session-end', { reasons: ['shutdown'] });
  process.kill(process.pid, 'SIGKILL');
  throw new Error('the process is gone');
}

/** What JSON can carry, for the process that asks. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value) ?? 'null');
}

process.on('message', ({ id, code }: { id: number; code: string }) => {
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (e: unknown) => Promise<unknown>;
  new AsyncFunction('electron', code)(self).then(
    (value) => process.send?.({ id, value: plain(value) }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(1));
