/**
 * What stands in for the `electron` module when the built main bundle runs on plain Node. It keeps the rules that the
 * bundle could break (what must happen before the app is ready, and what only after), writes down what it was told,
 * and lets the test that started the process look and act: a message `{ id, code }` runs `code` with everything here.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
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
  /** The system's key store; `null`: it does not answer. */
  keyStore?: string | null;
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

const isReady = Promise.withResolvers<void>();
setTimeout(() => {
  ready = true;
  isReady.resolve();
}, 50);

class App extends EventEmitter {
  isPackaged = options.packaged ?? false;
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
    return this.loginItem;
  }
  setLoginItemSettings(settings: object): void {
    note('app.setLoginItemSettings', settings);
    Object.assign(this.loginItem, settings);
  }
  quit(): void {
    note('app.quit');
    const event = preventable();
    this.emit('before-quit', event);
    if (!event.defaultPrevented) this.exit(0);
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
  }
  focus(): void {
    this.focused = true;
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
    if (BrowserWindow.all.every(({ destroyed }) => destroyed)) app.emit('window-all-closed');
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
  showErrorBox(title: string, text: string): void {
    dialog.errors.push([title, text]);
    note('dialog.showErrorBox', title, text);
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

/** Encrypts with a key that stays with the system, here with the home folder. */
const { keyStore = 'gnome_libsecret' } = options;
const keyFile = join(DOUBLE_HOME, 'key-store');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function systemKey(): Buffer {
  afterReady('safeStorage');
  if (keyStore === null) throw new Error('the key store does not answer');
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32));
  return readFileSync(keyFile);
}

export const safeStorage = {
  async isAsyncEncryptionAvailable() {
    afterReady('safeStorage');
    return keyStore !== null;
  },
  getSelectedStorageBackend() {
    afterReady('safeStorage');
    return keyStore ?? 'unknown';
  },
  async encryptStringAsync(text: string) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', systemKey(), nonce);
    const body = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]);
  },
  async decryptStringAsync(sealed: Buffer) {
    const decipher = createDecipheriv('aes-256-gcm', systemKey(), sealed.subarray(0, NONCE_BYTES));
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
