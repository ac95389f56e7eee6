/** Puts the parts of main/app together on a real Electron: the window, and what is there without a node. */
import { dirname, join } from 'node:path';
import type * as Electron from 'electron';
import { DataDir } from '../data-dir/data-dir.ts';
import { type CrashReports, createCrashReports } from '../process/crash-reports.ts';
import { onStopSignal } from '../process/stop-signals.ts';
import { type Autostart, createAutostart } from './autostart.ts';
import { isPackage, type ShellConfig } from './config.ts';
import { claimLinks, type Openings } from './deep-link.ts';
import { DesktopApp, type FirstWindow, QUIT_WITHIN_MS, SESSION_END_WITHIN_MS } from './lifecycle.ts';
import { setMenu } from './menu.ts';
import { startAgain } from './own-program.ts';
import { openPreferences, type Preferences } from './preferences.ts';
import { RunningDesktop } from './running-desktop.ts';
import { keepSessionWindow, putOffSessionEnd } from './session-end.ts';
import { createDesktopShell, type DesktopShell } from './shell-procedures.ts';
import { type ShellWords, shellWords } from './shell-words.ts';
import { openWindow } from './window.ts';
import { keepWindowState, place, readWindowState, workAreas } from './window-state.ts';

const APP_ID = 'org.acenode.desktop';

/** What the entry hands over. */
export interface Entered {
  readonly config: ShellConfig;
  readonly openings: Openings;
  /** From now on somebody else sees to errors that nobody handled. */
  readonly takeOver: () => void;
}

/** Resolves when the app is up, or was asked to quit. */
export async function runDesktop(electron: typeof Electron, entered: Entered): Promise<void> {
  await new Desktop(electron, entered).run();
}

class Desktop {
  readonly #electron: typeof Electron;
  readonly #config: ShellConfig;
  readonly #entered: Entered;
  readonly #dataDir: DataDir;
  /** Electron's own folder, which holds this shell's preferences too. */
  readonly #stateDir: string;
  readonly #reports: CrashReports;
  readonly #preferences: Preferences;
  readonly #autostart: Autostart;
  readonly #shell: DesktopShell;
  readonly #app: DesktopApp<RunningDesktop>;
  /** `null` until the node was started. */
  #running: RunningDesktop | null = null;

  constructor(electron: typeof Electron, entered: Entered) {
    const { app } = electron;
    const { config } = entered;
    this.#electron = electron;
    this.#entered = entered;
    this.#config = config;
    this.#dataDir = new DataDir(config.dataDir);
    this.#stateDir = app.getPath('userData');
    this.#reports = createCrashReports({
      folder: this.#dataDir.reports,
      version: app.getVersion(),
      secrets: () => [this.#running?.node.http.token, config.passphrase],
    });
    const preferencesFile = join(this.#stateDir, 'shell.json');
    this.#preferences = openPreferences(preferencesFile, () => app.getLocale(), process.platform);
    this.#autostart = createAutostart({
      app,
      platform: process.platform,
      argv: process.argv,
      env: process.env,
      execPath: process.execPath,
      homeDir: app.getPath('home'),
      onError: (error) => this.#reports.report('autostart-failed', error),
    });
    this.#shell = this.#createShell();
    this.#app = this.#createApp();
  }

  async run(): Promise<void> {
    const { app } = this.#electron;
    app.setAppUserModelId(APP_ID);
    process.on('uncaughtException', (error) => this.#app.fail(error));
    process.on('unhandledRejection', (error) => this.#app.fail(error));
    this.#entered.takeOver();
    app.on('child-process-gone', (_event, { type, reason, exitCode, name }) => {
      if (reason === 'clean-exit') return;
      const error = new Error(`A ${type} process ended: ${reason}`);
      const details = { type, reason, exitCode, ...(name !== undefined && { name }) };
      this.#reports.report('child-gone', error, details);
    });
    await this.#app.run();
  }

  #createShell(): DesktopShell {
    const { dialog, shell } = this.#electron;
    return createDesktopShell({
      dialog,
      shell,
      window: () => this.#app.window,
      preferences: this.#preferences,
      autostart: this.#autostart,
      hasTray: () => this.#running?.isTrayShown === true,
      closing: () => this.#app.closing,
      folders: { data: this.#dataDir.path, reports: this.#dataDir.reports },
      onChange: () => {
        this.#running?.tray?.update(this.#app.closing !== null);
        this.#running?.sendShellView();
      },
    });
  }

  #createApp(): DesktopApp<RunningDesktop> {
    const { app, dialog, BrowserWindow } = this.#electron;
    return new DesktopApp<RunningDesktop>({
      app,
      dialog,
      failureFile: this.#dataDir.lastFailure,
      openings: this.#entered.openings,
      onStopSignal,
      onSessionEnd: (stop) => void keepSessionWindow(BrowserWindow, process.platform, stop),
      shutdownWithinMs: process.platform === 'linux' ? SESSION_END_WITHIN_MS : QUIT_WITHIN_MS,
      // It may not be touched before the app is ready.
      powerMonitor: () => this.#electron.powerMonitor,
      argv: process.argv,
      startNode: () => this.#startNode(),
      openWindow: (running, minimized) => this.#openWindow(running, minimized),
      firstWindow: (running) => this.#firstWindow(running),
      keepsRunning: () => this.#preferences.current.keepRunning,
      showOnPage: ({ node, ipc }, view) => node.isRunning && ipc.tell('navigate', view),
      onClosing: (running) => this.#showClosing(running),
      startAgain: (link) => app.relaunch(startAgain(process, link)),
      reports: this.#reports,
      nowMs: () => Date.now(),
    });
  }

  async #startNode(): Promise<RunningDesktop> {
    const { app, Menu } = this.#electron;
    setMenu(Menu, process.platform, this.#words.menu);
    claimLinks(app, process.platform);
    this.#running = await RunningDesktop.start({
      electron: this.#electron,
      config: this.#config,
      dataDir: this.#dataDir,
      app: this.#app,
      shell: this.#shell,
      preferences: this.#preferences,
      words: () => this.#words,
    });
    return this.#running;
  }

  #firstWindow({ node, isTrayShown }: RunningDesktop): FirstWindow {
    // A node that waits for its owner is not hidden from them: nothing else would show that it does not run.
    const hides = node.isRunning && this.#autostart.atLogin() && this.#preferences.current.startHidden;
    if (!hides) return 'shown';
    // On macOS the Dock has it, in any case.
    return isTrayShown || process.platform === 'darwin' ? 'none' : 'minimized';
  }

  #openWindow({ node, ipc }: RunningDesktop, minimized: boolean): Electron.BrowserWindow {
    const { app, BrowserWindow, nativeTheme, screen } = this.#electron;
    const stateFile = join(this.#stateDir, 'window.json');
    const window = openWindow({
      Window: BrowserWindow,
      preloadPath: join(dirname(this.#config.pagesDir), 'preload', 'index.cjs'),
      iconPath: join(this.#config.resourcesDir, 'icon.png'),
      placement: place(readWindowState(stateFile), workAreas(screen)),
      minimized,
      isPackaged: isPackage(app),
      isDark: nativeTheme.shouldUseDarkColors,
      reports: this.#reports,
      nowMs: () => performance.now(),
    });
    keepWindowState(window, stateFile, (error) =>
      node.log.warn({ err: error }, 'where the window is cannot be written down'),
    );
    putOffSessionEnd(window, () => this.#app.quit(SESSION_END_WITHIN_MS));
    ipc.addWindow(window.webContents);
    return window;
  }

  #showClosing(running: RunningDesktop): void {
    const { window } = this.#app;
    window?.setTitle(this.#words.closing);
    // A bar that only shows that something goes on.
    window?.setProgressBar(2);
    running.tray?.update(true);
    running.sendShellView();
  }

  get #words(): ShellWords {
    return shellWords(this.#preferences.current.language);
  }
}
