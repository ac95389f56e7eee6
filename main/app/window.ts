/**
 * The one window, shut as tightly as Electron's security checklist asks: the pages are ours, yet they show names and
 * files that come from strangers, so they are treated as if they could turn against the user.
 */
import type { BrowserWindow, BrowserWindowConstructorOptions, Session, Shell, WebContents } from 'electron';
import type { CrashReports } from '../process/crash-reports.ts';
import { PAGES_ORIGIN, PAGES_URL } from './pages-scheme.ts';
import { LEAST_SIZE, type Placement } from './window-state.ts';

/** The pages' own (`--bg` in renderer/shell/app.css). */
const LIGHT_BACKGROUND = '#f6f6f3';
const DARK_BACKGROUND = '#131517';

/** Sites that a link may open in the user's browser; https only. */
const EXTERNAL_HOSTS: readonly string[] = ['acestream.org', 'docs.acestream.net', 'github.com'];

/**
 * What the pages may ask the system for; nothing else. A video player without full screen is none, and addresses and
 * ids are there to be copied. The last two are how Chromium asks whether a page may reach its own node on this machine;
 * that it reaches nothing else on the network, `onBeforeRequest` and the content policy see to.
 */
const ALLOWED_PERMISSIONS: ReadonlySet<string> = new Set([
  'fullscreen',
  'clipboard-sanitized-write',
  'loopback-network',
  'local-network-access',
]);

export type WindowConstructor = new (options: BrowserWindowConstructorOptions) => BrowserWindow;

export interface NodeAddress {
  readonly port: number;
  readonly token: string;
}

/** Denies every permission that is not needed, and every request but those for our pages and media of our node. */
export function secureSession(session: Session, node: NodeAddress): void {
  session.setPermissionRequestHandler((_contents, permission, decide, details) => {
    decide(ALLOWED_PERMISSIONS.has(permission) && details.requestingUrl.startsWith(PAGES_URL));
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => {
    return ALLOWED_PERMISSIONS.has(permission) && origin.replace(/\/$/, '') === PAGES_ORIGIN;
  });
  session.setDevicePermissionHandler(() => false);
  const nodeUrl = `http://127.0.0.1:${node.port}/`;
  session.webRequest.onBeforeRequest({ urls: ['<all_urls>'] }, ({ url }, decide) => {
    const ours = [PAGES_URL, nodeUrl, 'data:', `blob:${PAGES_ORIGIN}/`].some((start) =>
      url.startsWith(start),
    );
    decide({ cancel: !ours && !url.startsWith('devtools:') });
  });
  session.on('will-download', (event, item) => {
    const ours = [nodeUrl, `blob:${PAGES_ORIGIN}/`].some((start) => item.getURL().startsWith(start));
    if (!ours) event.preventDefault();
  });
  // The pages' origin is foreign to the node's HTTP server; the token shows that these requests are the window's.
  const filter = { urls: [`http://127.0.0.1:${node.port}/*`] };
  session.webRequest.onBeforeSendHeaders(filter, (details, proceed) => {
    const { Origin: _, ...requestHeaders } = details.requestHeaders;
    // Asked for each time: it may have been renewed.
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
export function secureContents(
  contents: WebContents,
  shell: Pick<Shell, 'openExternal'>,
  onError: (error: unknown) => void,
): void {
  contents.setWindowOpenHandler(({ url }) => {
    // A system without a browser is no reason for the node to end.
    if (isAllowedExternal(url)) shell.openExternal(url).catch((error) => onError(error));
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
function isOwnPlaylist(address: string): boolean {
  return /^http:\/\/127\.0\.0\.1:\d{1,5}\/content\/[a-z2-7]+\.m3u$/.test(address);
}

export interface WindowContext {
  readonly Window: WindowConstructor;
  readonly preloadPath: string;
  readonly iconPath: string;
  readonly placement: Placement;
  /** Not on the screen, but among the programs that run: where the desktop shows no tray. */
  readonly minimized: boolean;
  /** Packaged: no developer tools, in which a stranger could talk a user into pasting something. */
  readonly isPackaged: boolean;
  /** What the pages will be, so that nothing flashes before they are there. */
  readonly isDark: boolean;
  readonly reports: CrashReports;
  readonly nowMs: () => number;
}

function windowOptions(
  context: Pick<WindowContext, 'preloadPath' | 'iconPath' | 'placement' | 'isPackaged' | 'isDark'>,
): BrowserWindowConstructorOptions {
  const { bounds, size } = context.placement;
  return {
    ...(bounds ?? size),
    minWidth: LEAST_SIZE.width,
    minHeight: LEAST_SIZE.height,
    show: false,
    backgroundColor: context.isDark ? DARK_BACKGROUND : LIGHT_BACKGROUND,
    title: 'Ace Node',
    icon: context.iconPath,
    autoHideMenuBar: true,
    webPreferences: {
      preload: context.preloadPath,
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
      devTools: !context.isPackaged,
    },
  };
}

/** Opens the window; it shows itself when there is something to see. */
export function openWindow(context: WindowContext): BrowserWindow {
  const window = new context.Window(windowOptions(context));
  // Not before: it shows the window, and there is nothing on it yet.
  const show = () => {
    if (context.placement.maximized) window.maximize();
    window.show();
  };
  if (context.minimized) {
    window.minimize();
    window.once('restore', show);
  } else window.once('ready-to-show', show);
  reportTroubles(window, context);
  void window.loadURL(PAGES_URL);
  return window;
}

/** Pages that crash are loaded again, unless they do nothing but crash. */
const MOST_RELOADS = 3;
const RELOADS_WITHIN_MS = 60_000;

function reportTroubles(window: BrowserWindow, { reports, nowMs }: WindowContext): void {
  const contents = window.webContents;
  let goneAtMs: number[] = [];
  contents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit') return;
    reports.report('renderer-gone', new Error(`The pages' process ended: ${reason}`), { reason, exitCode });
    const now = nowMs();
    goneAtMs = [...goneAtMs.filter((atMs) => now - atMs < RELOADS_WITHIN_MS), now];
    if (goneAtMs.length <= MOST_RELOADS && !window.isDestroyed()) contents.reload();
  });
  contents.on('preload-error', (_event, path, error) => reports.report('preload-failed', error, { path }));
  window.on('unresponsive', () => reports.report('unresponsive', new Error('The pages do not answer')));
}
