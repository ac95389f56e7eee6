/** Windows and what is in them; and the end of a session on Windows, which is told to them alone. */
import { EventEmitter } from 'node:events';
import { app } from './app-module.ts';
import { type Any, afterReady, type Bounds, preventable, windows } from './state.ts';

/** gin_helper/destroyable.cc: what is called of a thing that is gone. */
function alive(destroyed: boolean): void {
  if (destroyed) throw new TypeError('Object has been destroyed');
}

class WebContents extends EventEmitter {
  destroyed = false;
  mainFrame: { origin: string; parent: unknown } = { origin: 'null', parent: null };
  openHandler: Any | null = null;
  sent: unknown[][] = [];
  downloads: string[] = [];
  reloads = 0;
  isDestroyed(): boolean {
    return this.destroyed;
  }
  setWindowOpenHandler(handler: Any): void {
    this.openHandler = handler;
  }
  send(...args: unknown[]): void {
    alive(this.destroyed);
    this.sent.push(structuredClone(args));
  }
  downloadURL(url: string): void {
    this.downloads.push(url);
  }
  reload(): void {
    alive(this.destroyed);
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
  minimized = false;
  destroyed = false;
  bounds: Bounds;

  constructor(given: Record<string, unknown>) {
    super();
    afterReady('BrowserWindow');
    this.options = given;
    const { x = 10, y = 10, width = 800, height = 600 } = given as Partial<Bounds>;
    this.bounds = { x, y, width, height };
    BrowserWindow.all.push(this);
    windows.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  async loadURL(url: string): Promise<void> {
    this.url = url;
    this.webContents.mainFrame = {
      origin: new URL(url).host === '' ? 'null' : `app://${new URL(url).host}`,
      parent: null,
    };
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (this.destroyed) return;
    this.emit('ready-to-show');
    this.webContents.emit('did-finish-load');
  }
  show(): void {
    alive(this.destroyed);
    this.visible = true;
    this.focused = true;
  }
  hide(): void {
    alive(this.destroyed);
    this.visible = false;
    this.focused = false;
  }
  isVisible(): boolean {
    alive(this.destroyed);
    return this.visible;
  }
  focus(): void {
    alive(this.destroyed);
    // shell/browser/native_window_views.cc: of a window that is not shown, nothing happens.
    if (this.visible) this.focused = true;
  }
  isFocused(): boolean {
    alive(this.destroyed);
    return this.focused;
  }
  isMinimized(): boolean {
    alive(this.destroyed);
    return this.minimized;
  }
  minimize(): void {
    alive(this.destroyed);
    // shell/browser/native_window_views.cc: one that is not shown yet is among the programs that run from then on.
    this.visible = false;
    this.minimized = true;
  }
  restore(): void {
    alive(this.destroyed);
    this.visible = true;
    this.minimized = false;
    this.emit('restore');
  }
  isMaximized(): boolean {
    alive(this.destroyed);
    return this.maximized;
  }
  maximize(): void {
    alive(this.destroyed);
    // shell/browser/native_window_views.cc: a window that is maximized is shown.
    this.visible = true;
    this.maximized = true;
    this.emit('maximize');
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  getNormalBounds(): Bounds {
    alive(this.destroyed);
    return this.bounds;
  }
  setTitle(title: string): void {
    alive(this.destroyed);
    this.title = title;
  }
  setProgressBar(progress: number): void {
    alive(this.destroyed);
    this.progress = progress;
  }
  /** As when the user closes it. */
  close(): void {
    const event = preventable();
    this.emit('close', event);
    if (event.defaultPrevented) return;
    this.destroyed = true;
    this.webContents.destroyed = true;
    this.webContents.emit('destroyed');
    this.emit('closed');
    if (!app.quitting && BrowserWindow.all.every(({ destroyed }) => destroyed)) app.emit('window-all-closed');
  }
}

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
