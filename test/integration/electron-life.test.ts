/**
 * The built main bundle with a real node in it, on a double of the `electron` module: how the desktop app starts where
 * there is a wallet, and how it ends.
 */
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { NavigateView, ShellView } from '../../shared/rpc/shell.ts';
import {
  DoubleApp,
  endAll,
  giveWallet,
  ROOT,
  startApp,
  temporaryHome,
} from '../helpers/electron-double/app.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const ID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const LINK = `acestream://${ID}`;

afterEach(endAll);

/** The built file and all that it loads by itself; packages by their names. */
function staticImportsOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/^import\b[^;]*?["']([^"']+)["'];/gm)) {
    if (path.startsWith('.')) staticImportsOf(join(dirname(file), path), found);
    else if (!path.startsWith('node:')) found.add(path);
  }
  return found;
}

/** What the app told in a box before it ended. */
function boxOf({ exit }: DoubleApp): { message: string; detail: string } | undefined {
  const call = exit?.calls.find(([name]) => name === 'dialog.showMessageBox');
  return call?.[1] as { message: string; detail: string } | undefined;
}

describe('the desktop app, as it starts', () => {
  it('leaves at once for the instance that runs, and makes no node', async () => {
    const app = new DoubleApp({ hasLock: false, args: [LINK] });
    expect(await app.ended).toBe(0);
    expect(existsSync(join(app.dataDir, 'node.db'))).toBe(false);
    expect(app.exit?.calls).toContainEqual(['app.requestSingleInstanceLock', join(app.dataDir, 'window')]);
    const took = app.exit?.calls.find(([name]) => name === 'app.quit')?.[1] as { entryMs: number };
    process.stdout.write(`a second start took ${took.entryMs.toFixed(0)} ms of our own\n`);
  });

  it('loads nothing of a node before it has the lock', () => {
    const main = join(ROOT, 'out/main');
    const loaded = [...staticImportsOf(join(main, 'electron.js'))];
    // A package of native code that cannot be loaded fails where nobody tells it, and one that can takes half of the time.
    expect(loaded.filter((path) => !path.startsWith(main))).toEqual(['electron']);
    const files = loaded.filter((path) => path.startsWith(main));
    const bytes = (paths: Iterable<string>) => [...paths].reduce((sum, path) => sum + statSync(path).size, 0);
    const all = globSync(join(main, '**/*.js'));
    expect(bytes(files)).toBeLessThan(bytes(all) / 10);
    const names = [...files].map((path) => basename(path)).join(' ');
    expect(names).not.toMatch(/desktop|node\b|libp2p|better/);
  });

  it('goes on when the terminal that it was started from is closed', { tags: 'long' }, async () => {
    const app = await startApp({});
    app.child.stderr?.destroy();
    // The second of two writes meets the closed pipe for sure.
    for (let n = 0; n < 2; n++) await app.run("process.stderr.write('something to say\\n')");
    expect(await staysFor('the app runs', 1_000, () => app.exit)).toBeNull();
    expect((await app.call<{ output: ShellView }>('shell')).output).toBeDefined();
  });

  it('opens on the link that it was started with', { tags: 'long' }, async () => {
    const app = await startApp({ args: ['--at-login', LINK] });
    const told = await waitFor(
      'the page hears of it',
      async () => (await app.told<NavigateView>('navigate'))[0],
    );
    expect(told).toEqual({ view: 'watch', link: LINK, contentId: null });
  });

  it('opens on the link that macOS hands over before the node is there', { tags: 'long' }, async () => {
    const home = temporaryHome();
    await giveWallet(home);
    const app = new DoubleApp({ home });
    await app.run(`electron.app.emit('open-url', electron.preventable(), '${LINK}')`);
    await app.up();
    const told = await waitFor(
      'the page hears of it',
      async () => (await app.told<NavigateView>('navigate'))[0],
    );
    expect(told.link).toBe(LINK);
  });

  it('opens no window at login, and has one at the second start', { tags: 'long' }, async () => {
    const app = await startApp({ args: ['--at-login'] });
    expect(await app.windows()).toBe(0);
    await app.run("electron.app.emit('second-instance', {}, ['ace-node'], '/', null)");
    expect(await app.windows()).toBe(1);
    expect((await app.call<{ output: ShellView }>('shell')).output.tray).toBe(true);
  });

  // GNOME shows no tray icons: a node that could not be seen anywhere ran on and on.
  it('is among the programs that run where a tray would be in vain, and comes forward from there', {
    tags: 'long',
  }, async () => {
    const app = await startApp({ args: ['--at-login'], trayHost: false });
    const seen = () =>
      app.run<boolean[][]>(
        'return electron.BrowserWindow.all.map(({ visible, minimized }) => [visible, minimized])',
      );
    expect(await seen()).toEqual([[false, true]]);
    expect((await app.call<{ output: ShellView }>('shell')).output.tray).toBe(false);
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    expect(await seen()).toEqual([[false, true]]);
    await app.run("electron.app.emit('second-instance', {}, ['ace-node'], '/', null)");
    expect(await seen()).toEqual([[true, false]]);
  });

  it('opens the window at login where the user wants so, in the language of the system', {
    tags: 'long',
  }, async () => {
    const home = temporaryHome();
    mkdirSync(join(home, 'data/window'), { recursive: true });
    writeFileSync(join(home, 'data/window/shell.json'), '{"startHidden":false}');
    const app = await startApp({ home, args: ['--at-login'], locale: 'ru-RU' });
    expect(await app.windows()).toBe(1);
    expect((await app.call<{ output: ShellView }>('shell')).output.preferences?.language).toBe('ru');
  });

  it('cannot be started at login from a checkout, and says so', { tags: 'long' }, async () => {
    const app = await startApp();
    expect((await app.call<{ output: ShellView }>('shell')).output.autostart).toBeNull();
    expect(await app.call('setShell', { autostart: true })).toMatchObject({
      error: { code: 'NotInThisShell' },
    });
  });

  it('warns of pages that are served to other machines, and only of those', { tags: 'long' }, async () => {
    const open = await startApp({ httpHost: '0.0.0.0' });
    expect(open.stderr).toContain('Warning: pages and players are served to other machines');
    await open.end();
    const closed = await startApp();
    expect(closed.stderr).not.toContain('Warning');
  });

  it('says in its log that the cipher it comes with does not load, once', { tags: 'long' }, async () => {
    const home = temporaryHome();
    const hook = join(home, 'hook.cjs');
    writeFileSync(
      hook,
      `const Module = require('node:module');
       const load = Module._load;
       Module._load = (name, ...more) => {
         if (name === 'sodium-native') throw new Error('Cannot load addon');
         return load(name, ...more);
       };`,
    );
    const app = await startApp({ home, env: { NODE_OPTIONS: `--require=${hook}` } });
    expect((await app.call<{ output: NodeSnapshot }>('snapshot')).output.account).toMatch(/^0x/);
    const log = readFileSync(join(app.dataDir, 'node.log'), 'utf8');
    expect(log.match(/libsodium cannot be loaded/g)).toHaveLength(1);
    expect(log).toContain('Cannot load addon');
  });

  it('says why it cannot start', async () => {
    const home = temporaryHome();
    const first = await startApp({ home });
    // As a node without a window is there: it has no lock of Electron's.
    const second = new DoubleApp({ home, hasLock: true });
    expect(await second.ended).toBe(1);
    expect(boxOf(second)).toMatchObject({
      message: 'Ace Node cannot start',
      detail: expect.stringMatching(/uses|in use/i),
    });
    await first.end();
  });

  it('ends with one message in a box and in the report, wherever its start fails', {
    tags: 'long',
  }, async () => {
    const unreadable = new DoubleApp({ env: { ACE_NODE_CONFIG: '{' } });
    expect(await unreadable.ended).toBe(1);
    // Electron's other box prints before the app is ready on Linux: who clicked the icon saw nothing.
    expect(boxOf(unreadable)).toMatchObject({
      message: 'Ace Node cannot start',
      detail: 'ACE_NODE_CONFIG cannot be read',
    });
    const home = temporaryHome();
    const first = await startApp({ home });
    const second = new DoubleApp({ home, hasLock: true });
    expect(await second.ended).toBe(1);
    expect(second.crashes().map(({ kind }) => kind)).toEqual(['start-failed']);
    await first.end();
  });

  it.each([
    ['no-sandbox', '.deb'],
    ['single-process', '.deb'],
    ['remote-debugging-port', '--remote-debugging-port'],
    ['disable-web-security', '--disable-web-security'],
    ['use-mock-keychain', '--use-mock-keychain'],
  ])('does not run from a package with --%s, and says so', { tags: 'long' }, async (name, said) => {
    const app = new DoubleApp({ packaged: true, switches: [name] });
    expect(await app.ended).toBe(1);
    expect(app.boxes()).toEqual([expect.stringContaining(said)]);
    // What would open the window to others is not waited for; what an AppImage adds by itself is told in a box.
    expect(boxOf(app) === undefined).toBe(said.startsWith('--'));
  });

  it('starts although the folder of what starts at login is none', { tags: 'long' }, async () => {
    const home = temporaryHome();
    mkdirSync(join(home, '.config'));
    writeFileSync(join(home, '.config/autostart'), 'a file');
    const app = await startApp({ home, packaged: true });
    expect((await app.call<{ output: ShellView }>('shell')).output.autostart).toBe(false);
    expect(await app.call('setShell', { autostart: true })).toMatchObject({ error: { code: 'StoreFailed' } });
  });

  it('says that its folder cannot be written, and does not start without one', { tags: 'long' }, async () => {
    const home = temporaryHome();
    writeFileSync(join(home, 'data'), 'a file where the folder should be');
    const app = new DoubleApp({ home });
    expect(await app.ended).toBe(1);
    expect(boxOf(app)?.detail).toContain(join(home, 'data'));
  });

  it('puts the window where it was, and onto a screen when its own is gone', { tags: 'long' }, async () => {
    const home = temporaryHome();
    const right = { id: 2, workArea: { x: 1_920, y: 0, width: 1_920, height: 1_080 } };
    const left = { id: 1, workArea: { x: 0, y: 0, width: 1_280, height: 700 } };
    const first = await startApp({ home, displays: [left, right] });
    await first.run(`const w = electron.BrowserWindow.all[0];
      w.bounds = { x: 2000, y: 60, width: 1000, height: 900 }; w.emit('move')`);
    const file = join(home, 'data/window/window.json');
    await waitFor('it is written down', () => existsSync(file));
    await first.end();
    const bounds = async (app: DoubleApp) =>
      app.run<object>(
        'const { x, y, width, height } = electron.BrowserWindow.all[0].options; return { x, y, width, height }',
      );
    const again = await startApp({ home, displays: [left, right] });
    expect(await bounds(again)).toEqual({ x: 2_000, y: 60, width: 1_000, height: 900 });
    await again.end();
    const without = await startApp({ home, displays: [left] });
    expect(await bounds(without)).toEqual({ width: 1_000, height: 700 });
  });
});

describe('the desktop app on Windows, when the session ends', () => {
  const windows = (app: DoubleApp) =>
    app.run<{ shown: boolean; url: string; taskbar: boolean }[]>(
      `return electron.BrowserWindow.all.filter((each) => !each.destroyed).map(({ visible, url, options }) =>
        ({ shown: visible, url, taskbar: options.skipTaskbar !== true }))`,
    );
  /** Of the window that is there to be asked. */
  const hidden = { shown: false, url: '', taskbar: false };

  // Without a window Windows asks nobody, and the process is gone: nothing was closed.
  it('puts it off until the node has closed, although no window was ever opened', async () => {
    const app = await startApp({ platform: 'win32', args: ['--at-login'] });
    expect(await windows(app)).toEqual([hidden]);
    expect(await app.run('return electron.endSession()')).toBe('prevented');
    expect(await app.ended, app.stderr).toBe(0);
    expect(existsSync(join(app.dataDir, 'control.json'))).toBe(false);
  });

  it('puts it off with the window closed to the tray, which the user never sees of the hidden one', {
    tags: 'long',
  }, async () => {
    const app = await startApp({ platform: 'win32' });
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    await app.call('setShell', { keepRunning: true });
    await app.run('electron.BrowserWindow.all.find(({ url }) => url).close()');
    expect(await windows(app)).toEqual([hidden]);
    await app.run("electron.app.emit('second-instance', {}, ['ace-node'], '/', null)");
    await waitFor('the other one comes', async () => (await windows(app)).some(({ shown }) => shown));
    expect((await windows(app)).filter(({ url }) => url === '')).toEqual([hidden]);
    await app.run('electron.BrowserWindow.all.find(({ url, destroyed }) => url && !destroyed).close()');
    expect(await app.run('return electron.endSession()')).toBe('prevented');
    expect(await app.ended, app.stderr).toBe(0);
    expect(existsSync(join(app.dataDir, 'control.json'))).toBe(false);
  });
});

describe('the desktop app on Windows, when a program asks its windows to close', () => {
  // The window went to the tray, and the one that puts off the end of the session was gone.
  it('closes the node and ends', { tags: 'long' }, async () => {
    const app = await startApp({ platform: 'win32' });
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    await app.call('setShell', { keepRunning: true });
    const left = app.run<number>(`
      for (const window of electron.BrowserWindow.all) window.close();
      return electron.BrowserWindow.all.filter((each) => !each.destroyed).length`);
    expect(await left).toBeGreaterThan(0);
    expect(await app.ended, app.stderr).toBe(0);
    expect(existsSync(join(app.dataDir, 'control.json'))).toBe(false);
  });
});

describe('the desktop app, as it ends', () => {
  itInTiers<[string, (app: DoubleApp) => Promise<unknown>]>({
    quick: [['quit', (app) => app.run('electron.app.quit()')]],
    long: [
      ['SIGTERM', async (app) => void app.child.kill('SIGTERM')],
      ['closing the last window, on Linux', (app) => app.run('electron.BrowserWindow.all[0].close()')],
      [
        'the shutdown of the system',
        (app) => app.run("electron.powerMonitor.emit('shutdown', electron.preventable())"),
      ],
      [
        'the end of the session on Windows',
        async (app) => expect(await app.run('return electron.endSession()')).toBe('prevented'),
      ],
      ['the shutdown procedure', (app) => app.call('shutdown')],
    ],
  })('by %s closes the node cleanly and shows that it does so', async (how, end) => {
    const app = await startApp();
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    // It may be gone before the answer is.
    await Promise.race([end(app).catch(() => {}), app.ended]);
    expect(await app.ended, app.stderr).toBe(0);
    expect(app.exit?.code).toBe(0);
    // A node that was stopped cleanly takes its address away.
    expect(existsSync(join(app.dataDir, 'control.json'))).toBe(false);
    expect(existsSync(join(app.dataDir, 'reports')), how).toBe(false);
  });

  // Electron's own handlers killed it with the second, which a terminal and a launcher both send.
  it('by a signal that comes twice it closes cleanly as well', async () => {
    const app = await startApp();
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    app.child.kill('SIGINT');
    await app.run('await new Promise((resolve) => setTimeout(resolve, 20))').catch(() => {});
    app.child.kill('SIGINT');
    expect(await app.ended, app.stderr).toBe(0);
    expect(existsSync(join(app.dataDir, 'control.json'))).toBe(false);
  });

  it.runIf(process.platform === 'linux')(
    'keeps the window that was closed until it has ended',
    { tags: 'long' },
    async () => {
      const app = await startApp();
      await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
      const seen = await app.run<{ destroyed: boolean; title: string }>(`
      const w = electron.BrowserWindow.all[0];
      w.close();
      return { destroyed: w.destroyed, title: w.title }`);
      expect(seen.destroyed).toBe(false);
      expect(seen.title).toContain('closing');
      expect(await app.ended).toBe(0);
    },
  );

  it('tells the page, the title and the tray while it closes, and opens nothing any more', {
    tags: 'long',
  }, async () => {
    const app = await startApp();
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    const seen = await app.run<{
      title: string;
      progress: number;
      tray: string;
      closing: ShellView;
      windows: number;
    }>(`
      electron.app.quit();
      electron.app.emit('second-instance', {}, ['ace-node', '${LINK}'], '/', null);
      const w = electron.BrowserWindow.all[0];
      const told = w.webContents.sent.filter(([, topic]) => topic === 'shell').at(-1)[2];
      return { title: w.title, progress: w.progress, tray: electron.Tray.all[0].toolTip, closing: told, windows: electron.BrowserWindow.all.length }`);
    expect(seen.title).toContain('closing');
    expect(seen.progress).toBe(2);
    expect(seen.tray).toContain('closing');
    expect(seen.windows).toBe(1);
    const { sinceMs = 0, untilMs = 0 } = seen.closing.closing ?? {};
    expect(untilMs - sinceMs).toBe(20_000);
    expect(await app.ended).toBe(0);
  });

  // The second one had no lock and ended, the first one ended as well: nothing ran, and nobody was told.
  it('starts again, on the link, when it is started while it closes', { tags: 'long' }, async () => {
    const app = await startApp({ args: ['--at-login'] });
    await app.run(`
      electron.app.quit();
      electron.app.emit('second-instance', {}, ['ace-node', '${LINK}'], '/', null)`);
    expect(await app.ended, app.stderr).toBe(0);
    const [, options] = app.exit?.calls.find(([name]) => name === 'app.relaunch') ?? [];
    expect(options).toEqual({
      execPath: process.execPath,
      args: [join(ROOT, 'out/main/electron.js'), LINK],
    });
  });

  itInTiers({
    quick: [['an error', "setTimeout(() => { throw new Error('boom in a timer, token=' + SECRET) })"]],
    long: [['a rejection', "void Promise.reject(new Error('boom in a promise, token=' + SECRET))"]],
  })(
    'after %s that nobody handled it reports it without secrets, closes cleanly, and says so',
    async (_what, code) => {
      const app = await startApp();
      const { output } = await app.call<{ output: { token: string } }>('apiToken');
      await app.run(code.replace('SECRET', JSON.stringify(output.token)));
      expect(await app.ended).toBe(1);
      expect(boxOf(app)?.message).toBe('Ace Node had to stop');
      expect(existsSync(join(app.dataDir, 'control.json'))).toBe(false);
      const [report] = app.crashes();
      expect(report).toMatchObject({ kind: 'unhandled' });
      expect(report?.errors[0]).toContain('boom in a');
      expect(JSON.stringify(report)).not.toContain(output.token);
    },
  );

  it('stays with the window closed where the user wants so, and serves on', { tags: 'long' }, async () => {
    const app = await startApp();
    await app.call('setShell', { keepRunning: true });
    const { output } = await app.call<{ output: NodeSnapshot }>('snapshot');
    await app.run('electron.BrowserWindow.all[0].close()');
    expect(await app.windows()).toBe(0);
    const status = await new Promise((resolve, reject) =>
      get(output.pagesUrl ?? '', (res) => resolve(res.resume().statusCode)).once('error', reject),
    );
    expect(status).toBe(200);
    await app.run("electron.app.emit('activate')");
    expect(await app.windows()).toBe(1);
  });
});
