/** Puts the parts of main/app together on a real Electron. */
import { dirname, join } from 'node:path';
import type * as Electron from 'electron';
import { nodePaths } from '../data-dir/config.ts';
import { type RunningNode, startNode } from '../node/node.ts';
import { createCrashReports } from '../process/crash-reports.ts';
import { onStopSignal } from '../process/stop-signals.ts';
import { createFeedHub } from '../rpc/feed.ts';
import { hostNote } from '../rpc/host-note.ts';
import { attachIpc, type IpcTransport } from '../rpc/ipc.ts';
import { createProcedures } from '../rpc/procedures.ts';
import { createAutostart } from './autostart.ts';
import type { ShellConfig } from './config.ts';
import { claimLinks } from './deep-link.ts';
import { DesktopApp, QUIT_WITHIN_MS, SESSION_END_WITHIN_MS } from './lifecycle.ts';
import { setMenu } from './menu.ts';
import { startNotifications } from './notifications.ts';
import { PAGES_ORIGIN, servePages } from './pages-scheme.ts';
import { openPreferences } from './preferences.ts';
import { electronSecretStore } from './secret-store.ts';
import { createDesktopShell } from './shell-procedures.ts';
import { shellWords } from './shell-words.ts';
import { type AppTray, createTray } from './tray.ts';
import { openWindow, secureSession } from './window.ts';
import { keepWindowState, place, readWindowState, workAreas } from './window-state.ts';

const APP_ID = 'org.acenode.desktop';

/** The node with what of the window hangs on it. */
interface RunningDesktop {
  readonly node: RunningNode;
  readonly ipc: IpcTransport;
  stop(): Promise<void>;
}

/** Resolves when the app is up, or was told to quit. */
export async function runDesktop(electron: typeof Electron, config: ShellConfig): Promise<void> {
  const { app, dialog, ipcMain, Menu, nativeImage, Notification, powerMonitor } = electron;
  const { BrowserWindow, protocol, safeStorage, screen, session, shell, Tray } = electron;
  const { platform } = process;
  const stateDir = app.getPath('userData');
  const paths = nodePaths(config.dataDir);
  const image = (name: string) => join(config.resourcesDir, name);
  let running: RunningDesktop | null = null;
  let tray: AppTray | null = null;

  const reports = createCrashReports({
    folder: paths.reports,
    version: app.getVersion(),
    secrets: () => [running?.node.http.token, config.passphrase],
  });
  const preferences = openPreferences(join(stateDir, 'shell.json'), () => app.getLocale(), platform);
  const words = () => shellWords(preferences.current.language);
  const autostart = createAutostart({
    app,
    platform,
    argv: process.argv,
    env: process.env,
    execPath: process.execPath,
    homeDir: app.getPath('home'),
  });

  const tellShell = () => running?.ipc.tell('shell', desktopShell.view());
  const desktopShell = createDesktopShell({
    dialog,
    shell,
    window: () => desktop.window,
    preferences,
    autostart,
    hasTray: () => tray !== null,
    closing: () => desktop.closing,
    folders: { data: config.dataDir, reports: paths.reports },
    onChange: () => {
      tray?.update(desktop.closing !== null);
      tellShell();
    },
  });

  const startParts = async (): Promise<RunningDesktop> => {
    setMenu(Menu, platform);
    claimLinks(app, platform);
    const node = await startNode({
      ...config,
      // The window asks: for a wallet on a first start, for its passphrase where the system does not keep it.
      wallet: { firstRun: true, mayWait: true },
      secretStore: electronSecretStore(safeStorage, join(config.dataDir, 'passphrase.sealed')),
    });
    const note = hostNote(config, node.http);
    if (note !== null) process.stderr.write(`${note}\n`);
    servePages(protocol, config.pagesDir);
    secureSession(session.defaultSession, node.http);
    const feed = createFeedHub(node.service, node.log);
    const ipc = attachIpc({
      ipcMain,
      procedures: createProcedures(node.service, node.log, desktopShell),
      feed,
      origin: PAGES_ORIGIN,
      onPageLoaded: () => {
        tellShell();
        desktop.tellPending();
      },
      log: node.log,
    });
    const onError = (error: unknown) => node.log.warn({ err: error }, 'a part of the desktop is missing');
    tray = createTray({
      Tray,
      Menu,
      icon: nativeImage.createFromPath(image(platform === 'darwin' ? 'trayTemplate.png' : 'tray.png')),
      words,
      onOpen: () => desktop.show(),
      onQuit: () => app.quit(),
      onError,
    });
    const stopNotifications = startNotifications({
      Notification,
      service: node.service,
      isRunning: () => node.isRunning,
      words,
      wanted: () => preferences.current.notifications && desktop.window?.isFocused() !== true,
      go: (view) => desktop.go(view),
      onError,
      nowMs: () => performance.now(),
    });
    // What a link leads to is shown once there is something to show.
    const stopHearing = node.service.onFeed((topic) => {
      if (topic === 'wallet' && node.isRunning) desktop.tellPending();
    });
    void node.stopped.then(() => app.quit());
    running = {
      node,
      ipc,
      stop: async () => {
        stopNotifications();
        stopHearing();
        // Pages are told of the end for as long as it takes.
        await node.stop();
        ipc.close();
        feed.close();
        tray?.destroy();
      },
    };
    return running;
  };

  const desktop = new DesktopApp<RunningDesktop>({
    app,
    dialog,
    // It may not be touched before the app is ready.
    powerMonitor: () => powerMonitor,
    argv: process.argv,
    startNode: startParts,
    openWindow: ({ node, ipc }) => {
      const stateFile = join(stateDir, 'window.json');
      const window = openWindow({
        Window: BrowserWindow,
        preloadPath: join(dirname(config.pagesDir), 'preload', 'index.cjs'),
        iconPath: image('icon.png'),
        placement: place(readWindowState(stateFile), workAreas(screen)),
        isPackaged: app.isPackaged,
        reports,
        nowMs: () => performance.now(),
      });
      keepWindowState(window, stateFile, (error) =>
        node.log.warn({ err: error }, 'where the window is cannot be written down'),
      );
      window.on('session-end', () => desktop.quit(SESSION_END_WITHIN_MS));
      ipc.addWindow(window.webContents);
      return window;
    },
    // A node that waits for its owner is not hidden from them: nothing else would tell that it does not run.
    startsHidden: ({ node }) => node.isRunning && autostart.atLogin && preferences.current.startHidden,
    keepsRunning: () => preferences.current.keepRunning,
    tellPage: ({ node, ipc }, view) => node.isRunning && ipc.tell('navigate', view),
    onClosing: () => {
      const { window } = desktop;
      window?.setTitle(words().closing);
      // A bar that only says that something goes on.
      window?.setProgressBar(2);
      tray?.update(true);
      tellShell();
    },
    reports,
    nowMs: () => Date.now(),
  });

  app.setAppUserModelId(APP_ID);
  process.on('uncaughtException', (error) => desktop.fail(error));
  process.on('unhandledRejection', (error) => desktop.fail(error));
  app.on('child-process-gone', (_event, { type, reason, exitCode, name }) => {
    if (reason === 'clean-exit') return;
    const error = new Error(`A ${type} process ended: ${reason}`);
    reports.report('child-gone', error, { type, reason, exitCode, ...(name !== undefined && { name }) });
  });
  onStopSignal(() => desktop.quit(QUIT_WITHIN_MS));
  await desktop.run();
}
