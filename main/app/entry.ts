/**
 * The first moments of the desktop app: what Electron must be told before it is ready, the lock that one instance has, and
 * handlers for whatever goes wrong. The rest is loaded only by the instance that runs: a second start, as a clicked link is,
 * ends without having loaded a node.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type * as Electron from 'electron';
import { AceError } from '../../shared/errors.ts';
import { defaultDataDir } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { makeFolder } from '../db/make-folder.ts';
import { storeError } from '../db/store-error.ts';
import { createCrashReports } from '../process/crash-reports.ts';
import { PASSPHRASE_VARIABLE } from '../wallet/passphrase-rule.ts';
import { isPackage, type ShellConfig, shellConfig } from './config.ts';
import { Openings } from './deep-link.ts';
import type * as desktop from './desktop.ts';
import { CANNOT_START, explain, tellFailure } from './failure.ts';
import { registerPagesScheme } from './pages-scheme.ts';
import { secureContents } from './window.ts';

/** The system's key store keeps its entries under this name: the same in a package and in a checkout. */
const APP_NAME = 'ace-node';

/** An app that is not ready by then will not be. */
const READY_WITHIN_MS = 10_000;

/** Returns at once: Electron gets ready only once its entry has been evaluated. */
export function enter(electron: typeof Electron, load: () => Promise<typeof desktop>): void {
  new Entry(electron).run(load);
}

class Entry {
  readonly #electron: typeof Electron;
  /** Until the options are read, this user's own. */
  #dataDir = new DataDir(defaultDataDir());
  #passphrase: string | undefined;
  #isEnding = false;

  constructor(electron: typeof Electron) {
    this.#electron = electron;
  }

  run(load: () => Promise<typeof desktop>): void {
    const { app } = this.#electron;
    outliveOutput();
    const fail = (error: unknown) => void this.#end(error);
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
    const takeOver = () => {
      process.off('uncaughtException', fail);
      process.off('unhandledRejection', fail);
    };
    try {
      app.setName(APP_NAME);
      const refused = refusedSwitch(app);
      // At once: what it opens for others is there as soon as the app is ready.
      if (refused !== null) return void this.#end(refused, 0);
      const config = this.#readConfig();
      prepare(this.#electron, this.#dataDir);
      const openings = new Openings(app);
      // The first instance has got this one's arguments by then, and so its link.
      if (!app.requestSingleInstanceLock()) {
        checkLockable(app.getPath('userData'));
        app.quit();
        return;
      }
      load()
        .then(({ runDesktop }) => runDesktop(this.#electron, { config, openings, takeOver }))
        .catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** @throws AceError `InvalidInput` */
  #readConfig(): ShellConfig {
    const { app } = this.#electron;
    const appDir = app.getAppPath();
    const config = shellConfig(process.env, {
      dataDir: this.#dataDir.path,
      appDir,
      resourcesDir: isPackage(app) ? process.resourcesPath : join(appDir, 'resources'),
      isPackaged: isPackage(app),
    });
    // Read once: neither a child process nor a report of a crash gets it from here.
    delete process.env[PASSPHRASE_VARIABLE];
    this.#dataDir = new DataDir(config.dataDir);
    this.#passphrase = config.passphrase;
    return config;
  }

  /**
   * Nothing runs yet: says why, and ends. In a box of an app that is ready: before, Linux prints it for nobody, and other systems
   * wait for ever (docs/api/dialog.md, `showErrorBox`).
   */
  async #end(error: unknown, readyWithinMs = READY_WITHIN_MS): Promise<void> {
    // What goes wrong while that is told changes nothing.
    if (this.#isEnding) return;
    this.#isEnding = true;
    const { app, dialog } = this.#electron;
    const reports = createCrashReports({
      folder: this.#dataDir.reports,
      version: app.getVersion(),
      secrets: () => [this.#passphrase],
    });
    reports.report('start-failed', error);
    const failure = { title: CANNOT_START, text: explain(error) };
    try {
      if (readyWithinMs > 0)
        await Promise.race([app.whenReady(), delay(readyWithinMs, null, { ref: false })]);
      await tellFailure({ app, dialog, file: this.#dataDir.lastFailure }, failure);
    } finally {
      app.exit(1);
    }
  }
}

/** @throws AceError `NotAllowed` */
function prepare({ app, protocol, shell }: typeof Electron, dataDir: DataDir): void {
  // Electron's own files apart from the node's, and one instance per data directory. Electron takes no folder that is not
  // there; where none can be made, the node cannot start either and says why.
  if (canMakeFolder(dataDir.windowState)) setFolder(app, dataDir.windowState);
  registerPagesScheme(protocol);
  app.enableSandbox();
  checkSandbox(app);
  const onNotOpened = (error: unknown) =>
    process.stderr.write(`ace-node: a link could not be opened in the browser: ${String(error)}\n`);
  app.on('web-contents-created', (_event, contents) => secureContents(contents, shell, onNotOpened));
}

/**
 * Chromium says that another instance has the lock, too, where it cannot make one (`LOCK_ERROR` in electron_api_app.cc): on a
 * disk that is read-only or full the app ended without a word.
 * @throws AceError `DataDirNotWritable`, `StoreFailed`
 */
function checkLockable(folder: string): void {
  const probe = join(folder, `.lock-probe-${process.pid}`);
  try {
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw storeError(error, folder);
  }
}

/**
 * With these Chromium gives the window to other programs on the computer, takes its pages for others than they are, or seals
 * what it keeps on macOS with a key that everybody knows (`kUseMockKeychain`, components/os_crypt).
 */
const REFUSED_SWITCHES = [
  'remote-debugging-port',
  'remote-debugging-pipe',
  'disable-web-security',
  'use-mock-keychain',
] as const;
/** And these take its sandbox away; an AppImage adds the first where the system keeps Chromium from making one. */
const SANDBOX_SWITCHES = ['no-sandbox', 'single-process', 'disable-seccomp-filter-sandbox'] as const;

function refusedSwitch(app: Electron.App): AceError | null {
  const refused = isPackage(app) && REFUSED_SWITCHES.find((name) => app.commandLine.hasSwitch(name));
  return refused ? new AceError('NotAllowed', `Ace Node does not run with --${refused}`) : null;
}

/** The pages show what strangers send, and act with the owner's money. */
function checkSandbox(app: Electron.App): void {
  if (!isPackage(app) || !SANDBOX_SWITCHES.some((name) => app.commandLine.hasSwitch(name))) return;
  throw new AceError(
    'NotAllowed',
    'The window does not run without Chromium’s sandbox, which this system does not let it have: install the .deb package, or allow user namespaces for this program',
  );
}

function setFolder(app: Electron.App, folder: string): void {
  try {
    app.setPath('userData', folder);
  } catch (cause) {
    throw new AceError('DataDirNotWritable', `What the window keeps cannot lie in ${folder}`, { cause });
  }
}

function canMakeFolder(path: string): boolean {
  try {
    makeFolder(path);
    return true;
  } catch {
    return false;
  }
}

/** A terminal that the app was started from may close, or its output go to a disk that is full: the log has it all, too. */
function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
