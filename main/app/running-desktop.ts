/** The node of the desktop app, with everything of the shell that hangs on it: IPC, pages, tray, notifications. */
import { join } from 'node:path';
import type * as Electron from 'electron';
import type { DataDir } from '../data-dir/data-dir.ts';
import { type RunningNode, startNode } from '../node/node.ts';
import { hostNote } from '../rpc/host-note.ts';
import { attachIpc, type IpcTransport } from '../rpc/ipc.ts';
import { createProcedures } from '../rpc/procedures.ts';
import type { ShellConfig } from './config.ts';
import type { DesktopApp, Stoppable } from './lifecycle.ts';
import { startNotifications } from './notifications.ts';
import { PAGES_ORIGIN, servePages } from './pages-scheme.ts';
import type { Preferences } from './preferences.ts';
import { electronSecretStore } from './secret-store.ts';
import type { DesktopShell } from './shell-procedures.ts';
import type { ShellWords } from './shell-words.ts';
import { type AppTray, createTray } from './tray.ts';
import { showsTrayIcons } from './tray-host.ts';
import { secureSession } from './window.ts';

export interface RunningDesktopContext {
  readonly electron: typeof Electron;
  readonly config: ShellConfig;
  readonly dataDir: DataDir;
  readonly app: Pick<DesktopApp<Stoppable>, 'window' | 'show' | 'go' | 'showPending'>;
  readonly shell: DesktopShell;
  readonly preferences: Preferences;
  readonly words: () => ShellWords;
}

export class RunningDesktop implements Stoppable {
  readonly node: RunningNode;
  readonly ipc: IpcTransport;
  /** `null` where the system has no place for one. */
  readonly tray: AppTray | null;
  /** Somebody can see it. */
  readonly isTrayShown: boolean;
  readonly #context: RunningDesktopContext;
  readonly #stopNotifications: () => void;
  readonly #stopPending: () => void;

  /** @throws AceError as `startNode` */
  static async start(context: RunningDesktopContext): Promise<RunningDesktop> {
    const { electron, config, dataDir } = context;
    const traysShown = showsTrayIcons(process.platform);
    const node = await startNode({
      ...config,
      // The window asks: for a wallet on a first start, for its passphrase where the system does not keep it.
      wallet: { firstRun: true, mayWait: true },
      secretStore: electronSecretStore(electron.safeStorage, dataDir.sealedPassphrase),
      deviceKeyStore: electronSecretStore(electron.safeStorage, dataDir.sealedDeviceKey),
    });
    try {
      const note = hostNote(config, node.http);
      if (note !== null) process.stderr.write(`${note}\n`);
      return new RunningDesktop(node, context, await traysShown);
    } catch (error) {
      // It runs, and nobody else knows of it.
      await node.stop();
      throw error;
    }
  }

  private constructor(node: RunningNode, context: RunningDesktopContext, traysShown: boolean) {
    const { electron, config, app, shell } = context;
    this.node = node;
    this.#context = context;
    servePages(electron.protocol, config.pagesDir);
    secureSession(electron.session.defaultSession, node.http);
    this.ipc = attachIpc({
      ipcMain: electron.ipcMain,
      procedures: createProcedures(node.service, node.log, shell),
      feed: node.feed,
      origin: PAGES_ORIGIN,
      onPageLoaded: () => {
        this.sendShellView();
        app.showPending();
      },
      log: node.log,
    });
    this.tray = this.#createTray();
    this.isTrayShown = this.tray !== null && traysShown;
    this.#stopNotifications = this.#startNotifications();
    // What a link leads to is shown once there is something to show.
    this.#stopPending = node.feed.subscribe((topic) => {
      if (topic === 'wallet' && node.isRunning) app.showPending();
    });
    void node.stopped.then(() => electron.app.quit());
  }

  /** To the pages: their settings of the shell, or that the app closes. */
  sendShellView(): void {
    this.ipc.tell('shell', this.#context.shell.view());
  }

  async stop(): Promise<void> {
    // First: nothing of the desktop keeps it from closing its channels. Pages follow that for as long as it takes.
    const stopped = this.node.stop();
    try {
      this.#stopNotifications();
      this.#stopPending();
    } finally {
      await stopped;
    }
    this.ipc.close();
    this.tray?.destroy();
  }

  #createTray(): AppTray | null {
    const { electron, config, app, words } = this.#context;
    const name = process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png';
    return createTray({
      Tray: electron.Tray,
      Menu: electron.Menu,
      icon: electron.nativeImage.createFromPath(join(config.resourcesDir, name)),
      platform: process.platform,
      words,
      onOpen: () => app.show(),
      onQuit: () => electron.app.quit(),
      onError: (error) => this.#logMissing(error),
    });
  }

  #startNotifications(): () => void {
    const { electron, app, preferences, words } = this.#context;
    return startNotifications({
      Notification: electron.Notification,
      service: this.node.service,
      feed: this.node.feed,
      isRunning: () => this.node.isRunning,
      words,
      wanted: () => preferences.current.notifications && app.window?.isFocused() !== true,
      go: (view) => app.go(view),
      onError: (error) => this.#logMissing(error),
      nowMs: () => performance.now(),
    });
  }

  #logMissing(error: unknown): void {
    this.node.log.warn({ err: error }, 'a part of the desktop is missing');
  }
}
