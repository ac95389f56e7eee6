/**
 * The desktop app where the environment, its arguments and its files are not what it would have written: it starts, or it ends with
 * one message that says why; never with neither.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { ShellView } from '../../shared/rpc/shell.ts';
import { MIB } from '../helpers/devnet.ts';
import {
  DoubleApp,
  endAll,
  giveWallet,
  type StartOptions,
  startApp,
  temporaryHome,
} from '../helpers/electron-double/app.ts';
import { noSmallDisk, SmallDisk } from '../helpers/small-disk.ts';
import { waitFor } from '../helpers/wait.ts';

afterEach(endAll);

describe('the desktop app in a hostile environment', () => {
  const whole = { dataDir: '/tmp/x', resourcesDir: '/tmp/x', pagesDir: '/tmp/x' };
  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['a text', '"/tmp"'],
    ['a folder that is another one for each start', JSON.stringify({ ...whole, dataDir: 'data' })],
    ['no folder', JSON.stringify({ ...whole, dataDir: '' })],
    ['a port that is none', JSON.stringify({ ...whole, httpPort: 65_536 })],
    ['an address that is none', JSON.stringify({ ...whole, httpHost: 'example.org' })],
    ['what nobody knows', JSON.stringify({ ...whole, preload: '/tmp/evil.cjs' })],
    ['a folder with a zero byte in its name', JSON.stringify({ ...whole, dataDir: '/tmp/a\0b' })],
  ])('says once that its options cannot be read when they are %s', async (_what, config) => {
    const app = new DoubleApp({ env: { ACE_NODE_CONFIG: config } });
    expect(await app.ended, app.stderr).toBe(1);
    expect(app.boxes()).toHaveLength(1);
    expect(app.boxes()[0]).toMatch(/^Ace Node cannot start: \S/);
  });

  it('takes no pages, files or programs from the environment of a package', async () => {
    const evil = temporaryHome();
    const home = temporaryHome();
    await giveWallet(home);
    const config = { dataDir: join(home, 'data'), resourcesDir: evil, pagesDir: evil, httpPort: 0 };
    const app = await new DoubleApp({
      ...{ home, packaged: true },
      env: {
        ACE_NODE_CONFIG: JSON.stringify(config),
        APPIMAGE: '/tmp/another-program',
        PATH: evil,
        LD_PRELOAD: '',
        ELECTRON_RUN_AS_NODE: '1',
      },
    }).up();
    await app.call('setShell', { autostart: true });
    const said = await app.run<string>(`
      const { readFileSync } = await import('node:fs');
      const { preload } = electron.BrowserWindow.all[0].options.webPreferences;
      return preload + readFileSync(process.env.XDG_CONFIG_HOME + '/autostart/ace-node.desktop', 'utf8')`);
    expect(said).not.toContain(evil);
    expect(said).not.toContain('another-program');
  });

  it.each<[string, StartOptions]>([
    ['in the environment', { env: { ELECTRON_DISABLE_SANDBOX: '1' } }],
    ['among its arguments', { args: ['--no-sandbox'] }],
    ['with a value', { args: ['--x', '--remote-debugging-port=9222'] }],
    ['with one dash', { args: ['-disable-web-security'] }],
  ])('finds what takes its protection away %s of a package, and does not run', async (_where, given) => {
    const app = new DoubleApp({ packaged: true, ...given });
    expect(await app.ended, app.stderr).toBe(1);
    expect(app.boxes()).toHaveLength(1);
  });

  // Electron looks at the program's name alone: as a hard link called "electron" it was no package any more.
  it('is a package under any name', async () => {
    const appPath = '/opt/Ace Node/resources/app.asar';
    const app = new DoubleApp({ packaged: false, appPath, args: ['--remote-debugging-port=9222'] });
    expect(await app.ended, app.stderr).toBe(1);
    const evil = temporaryHome();
    const home = temporaryHome();
    await giveWallet(home);
    const config = { dataDir: join(home, 'data'), resourcesDir: evil, pagesDir: evil, httpPort: 0 };
    const env = { ACE_NODE_CONFIG: JSON.stringify(config) };
    const other = await new DoubleApp({ home, appPath, env }).up();
    const options = await other.run<string>(
      'return JSON.stringify(electron.BrowserWindow.all[0].options.webPreferences)',
    );
    expect(options).toContain(`${appPath}/out/preload`);
    expect(JSON.parse(options)).toMatchObject({ devTools: false });
  });

  it('leaves a relative XDG_DATA_HOME aside, as the specification has it', async () => {
    const app = await new DoubleApp({ byIcon: true, env: { XDG_DATA_HOME: 'some/where' } }).up();
    expect(await app.run('return electron.app.getPath("userData")')).toBe(
      join(app.home, '.local/share/ace-node/window'),
    );
  });

  it('runs once when it is started twice at the same moment', async () => {
    const home = temporaryHome();
    await giveWallet(home);
    const both = [new DoubleApp({ home }), new DoubleApp({ home })] as const;
    const first = await Promise.race(both.map(async (app) => ((await app.ended) === 0 ? app : null)));
    const [one, other] = both;
    const runs = first === one ? other : one;
    await runs.up();
    expect(first?.exit?.calls.map(([name]) => name)).toContain('app.quit');
    expect((first ?? runs).boxes()).toEqual([]);
    expect(runs.child.exitCode).toBeNull();
  });

  it.skipIf(noSmallDisk() !== null)('says so when no lock can be made, instead of nothing', async () => {
    const disk = new SmallDisk(16 * MIB);
    await giveWallet(disk.dir);
    mkdirSync(join(disk.dir, 'data/window'));
    disk.makeReadOnly();
    const app = new DoubleApp({ home: disk.dir });
    expect(await app.ended, app.stderr).toBe(1);
    expect(app.boxes()).toEqual([expect.stringMatching(/cannot be written to .*\/data\/window/)]);
  });

  it.skipIf(noSmallDisk() !== null)('ends although its disk is full, and goes on from there', async () => {
    const disk = new SmallDisk(128 * MIB);
    const app = await startApp({ home: disk.dir });
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    const before = await app.call<{ output: NodeSnapshot }>('snapshot');
    disk.fill();
    await app.run('electron.app.quit()').catch(() => undefined);
    const code = await app.ended;
    // Either nothing had to be written any more, or it says what could not be.
    expect(code === 0 ? [] : app.boxes(), app.stderr).toEqual(
      code === 0 ? [] : [expect.stringMatching(/^Ace Node had to stop: .*full/i)],
    );
    disk.free();
    const again = await startApp({ home: disk.dir });
    const after = await again.call<{ output: NodeSnapshot }>('snapshot');
    expect(after.output.account).toBe(before.output.account);
    await again.end();
  });

  it.each(['shell.json', 'window.json', 'last-failure.json'])(
    'starts although window/%s is garbage, a folder, or leads nowhere',
    async (name) => {
      for (const spoil of [
        (path: string) => writeFileSync(path, '{"language": "xx", "width": "a", "\0'),
        (path: string) => mkdirSync(path),
        (path: string) => symlinkSync('/nowhere/at/all', path),
      ]) {
        const home = temporaryHome();
        mkdirSync(join(home, 'data/window'), { recursive: true });
        spoil(join(home, 'data/window', name));
        const app = await startApp({ home });
        await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
        await app.run('electron.app.quit()').catch(() => undefined);
        expect(await app.ended, app.stderr).toBe(0);
        expect(existsSync(join(app.dataDir, 'reports')), app.stderr).toBe(false);
      }
    },
  );

  it('ends as it should when its folder is taken away while it runs', async () => {
    const app = await startApp();
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    rmSync(join(app.dataDir, 'window'), { recursive: true, force: true });
    expect(await app.call('setShell', { startHidden: false })).toMatchObject({
      error: { code: 'DataDirNotWritable' },
    });
    // What was not kept is not said to be set.
    const { output } = await app.call<{ output: ShellView }>('shell');
    expect(output.preferences?.startHidden).toBe(true);
    await app
      .run("const w = electron.BrowserWindow.all[0]; w.emit('move'); w.close()")
      .catch(() => undefined);
    expect(await app.ended, app.stderr).toBe(0);
  });

  it.each([
    ['a link that is too long', [`ace:${'x'.repeat(100_000)}`]],
    ['a link with a switch in it', ['ace:x --no-sandbox', 'acestream:"%s" --remote-debugging-port=1']],
    ['arguments without end', Array.from({ length: 2_000 }, (_, i) => `--switch-${i}`)],
  ])('starts with %s among its arguments, and shows nothing of it', async (_what, args) => {
    const app = await startApp({ args });
    await waitFor('the page is there', async () => (await app.told('shell')).length > 0);
    expect(await app.told('navigate')).toEqual([]);
  });
});
