/**
 * The one window, shut as tightly as Electron's security checklist asks: the pages are ours, yet they show names and
 * files that come from strangers, so they are treated as if they could turn against the user.
 */
import type { BrowserWindow, BrowserWindowConstructorOptions, Session, Shell, WebContents } from 'electron';
import { PAGES_ORIGIN, PAGES_URL } from './pages-scheme.ts';

/** Sites that a link may open in the user's browser; https only. */
export const EXTERNAL_HOSTS: readonly string[] = ['acestream.org', 'docs.acestream.net', 'github.com'];

/** What the pages may ask the system for: a video player without full screen is none. Nothing else. */
const ALLOWED_PERMISSIONS: ReadonlySet<string> = new Set(['fullscreen']);

export type WindowConstructor = new (options: BrowserWindowConstructorOptions) => BrowserWindow;

export interface NodeAddress {
  readonly port: number;
  readonly token: string;
}

/** Denies every permission to every page but full screen to our own, and lets our pages load media of our node. */
export function secureSession(session: Session, node: NodeAddress): void {
  session.setPermissionRequestHandler((_contents, permission, decide, details) => {
    decide(ALLOWED_PERMISSIONS.has(permission) && details.requestingUrl.startsWith(PAGES_URL));
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => {
    return ALLOWED_PERMISSIONS.has(permission) && origin.replace(/\/$/, '') === PAGES_ORIGIN;
  });
  session.setDevicePermissionHandler(() => false);
  // The pages' origin is foreign to the node's HTTP server; the token says that these requests are the window's.
  const filter = { urls: [`http://127.0.0.1:${node.port}/*`] };
  session.webRequest.onBeforeSendHeaders(filter, (details, proceed) => {
    const { Origin: _, ...requestHeaders } = details.requestHeaders;
    proceed({ requestHeaders: { ...requestHeaders, Authorization: `Bearer ${node.token}` } });
  });
  // The segments of a broadcast are read by a script, which needs the server's leave.
  session.webRequest.onHeadersReceived(filter, (details, proceed) => {
    proceed({
      responseHeaders: { ...details.responseHeaders, 'Access-Control-Allow-Origin': [PAGES_ORIGIN] },
    });
  });
}

/** For every web contents that ever comes to be: no new windows, no way out of our pages, no embedded views. */
export function secureContents(contents: WebContents, shell: Pick<Shell, 'openExternal'>): void {
  contents.setWindowOpenHandler(({ url }) => {
    if (isAllowedExternal(url)) void shell.openExternal(url);
    // Kept as a file, which the system opens with the player that the user has chosen.
    if (isOwnPlaylist(url)) contents.downloadURL(url);
    return { action: 'deny' };
  });
  const keepInside = (event: { preventDefault(): void; readonly url: string }) => {
    if (URL.parse(event.url)?.href.startsWith(PAGES_URL) !== true) event.preventDefault();
  };
  contents.on('will-navigate', keepInside);
  contents.on('will-redirect', keepInside);
  contents.on('will-frame-navigate', keepInside);
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

export function isAllowedExternal(address: string): boolean {
  const url = URL.parse(address);
  return (
    url?.protocol === 'https:' &&
    url.username === '' &&
    url.port === '' &&
    EXTERNAL_HOSTS.includes(url.hostname)
  );
}

/** The playlist of a content, which a node on this machine makes. */
export function isOwnPlaylist(address: string): boolean {
  return /^http:\/\/127\.0\.0\.1:\d{1,5}\/content\/[a-z2-7]+\.m3u$/.test(address);
}

export function windowOptions(preloadPath: string): BrowserWindowConstructorOptions {
  return {
    width: 1180,
    height: 780,
    minWidth: 380,
    minHeight: 480,
    show: false,
    title: 'Ace Node',
    autoHideMenuBar: true,
    webPreferences: {
      preload: preloadPath,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  };
}

/** Opens the window; it shows itself when there is something to see. */
export function openWindow(Window: WindowConstructor, preloadPath: string): BrowserWindow {
  const window = new Window(windowOptions(preloadPath));
  window.once('ready-to-show', () => window.show());
  void window.loadURL(PAGES_URL);
  return window;
}
