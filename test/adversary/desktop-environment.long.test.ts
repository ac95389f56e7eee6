/**
 * The desktop app where the environment, its arguments and its files are not what it would have written: it starts, or it ends with
 * one message that says why; never with neither.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ShellView } from '../../shared/rpc/shell.ts';
import { DoubleApp, endAll, giveWallet, startApp, temporaryHome } from '../helpers/electron-double/app.ts';
import { waitFor } from '../helpers/wait.ts';

afterEach(endAll);

/** What was told in boxes before the app ended. */
function boxes({ exit }: DoubleApp): string[] {
  return (exit?.calls ?? []).flatMap(([name, first, second]) => {
    if (name === 'dialog.showErrorBox') return [`${String(first)}: ${String(second)}`];
    if (name !== 'dialog.showMessageBox') return [];
    const { message, detail } = first as { message: string; detail: string };
    return [`${message}: ${detail}`];
  });
}

describe('the desktop app in a hostile environment', () => {
  const whole = { dataDir: '/tmp/x', resourcesDir: '/tmp/x', pagesDir: '/tmp/x' };
  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['a text', '"/tmp"'],
    ['no folder', JSON.stringify({ ...whole, dataDir: '' })],
    ['a port that is none', JSON.stringify({ ...whole, httpPort: 65_536 })],
    ['an address that is none', JSON.stringify({ ...whole, httpHost: 'example.org' })],
    ['what nobody knows', JSON.stringify({ ...whole, preload: '/tmp/evil.cjs' })],
    ['a folder with a zero byte in its name', JSON.stringify({ ...whole, dataDir: '/tmp/a\0b' })],
  ])('says once that its options cannot be read when they are %s', async (_what, config) => {
    const app = new DoubleApp({ env: { ACE_NODE_CONFIG: config } });
    expect(await app.ended, app.stderr).toBe(1);
    expect(boxes(app)).toHaveLength(1);
    expect(boxes(app)[0]).toMatch(/^Ace Node cannot start: \S/);
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
