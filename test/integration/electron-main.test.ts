/**
 * The built main bundle with a real node in it, on a double of the `electron` module: what the desktop app does while it
 * runs, and every setting of Electron's security checklist. A window itself takes Electron's binary.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { NavigateView, ShellView } from '../../shared/rpc/shell.ts';
import { type DoubleApp, endAll, ROOT, startApp, temporaryHome } from '../helpers/electron-double/app.ts';
import { waitFor } from '../helpers/wait.ts';

const ID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const LINK = `acestream://${ID}`;

afterAll(endAll);

describe('the desktop app, as it runs', () => {
  let app: DoubleApp;
  beforeAll(async () => {
    app = await startApp({ packaged: true });
    await waitFor('the window has its page', async () => (await app.told('shell')).length > 0);
  });

  const firstWindow = <T>(what: string) =>
    app.run<T>(`const w = electron.BrowserWindow.all[0]; return ${what}`);
  const session = <T>(what: string) =>
    app.run<T>(`const s = electron.session.defaultSession.handlers; return ${what}`);

  it('speaks with its peers although Electron lacks a cipher that they use', async () => {
    const cipher = app.run(
      "const { createCipheriv } = await import('node:crypto'); createCipheriv('chacha20-poly1305', new Uint8Array(32), new Uint8Array(12), { authTagLength: 16 })",
    );
    await expect(cipher).rejects.toThrow('Unknown cipher');
    // Not with Noise's own choice there, which takes several times as long.
    const loaded = await app.run<string[]>('return process.report.getReport().sharedObjects');
    expect(loaded.filter((path) => path.endsWith('sodium-native.node'))).toHaveLength(1);
    const { shard, peers } = await snapshot();
    expect(shard.connected).toBe(true);
    expect(peers).toBeGreaterThan(0);
  });

  describe('security: the window', () => {
    it('isolates and sandboxes the pages, gives them no Node, and embeds nothing', async () => {
      expect(await firstWindow('w.options.webPreferences')).toEqual({
        preload: join(ROOT, 'out/preload/index.cjs'),
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
        devTools: false,
      });
      expect(existsSync(join(ROOT, 'out/preload/index.cjs'))).toBe(true);
    });

    it('sandboxes every process before any is made', async () => {
      const names = (await app.run<[string][]>('return electron.calls')).map(([name]) => name);
      expect(names).toContain('app.enableSandbox');
      expect(names.indexOf('app.enableSandbox')).toBeLessThan(names.indexOf('app.requestSingleInstanceLock'));
    });

    it.each([
      ['will-navigate', 'https://evil.example/', true],
      ['will-navigate', 'file:///etc/passwd', true],
      ['will-navigate', 'app://ace-node.evil/', true],
      ['will-navigate', 'app://ace-node/#/wallet', false],
      ['will-redirect', 'https://evil.example/', true],
      ['will-frame-navigate', 'data:text/html,x', true],
      ['will-attach-webview', 'app://ace-node/', true],
    ])('on %s to %s it is stopped: %s', async (event, url, stopped) => {
      const prevented = await app.run<boolean>(
        `const event = { ...electron.preventable(), url: ${JSON.stringify(url)} };
        electron.BrowserWindow.all[0].webContents.emit('${event}', event);
        return event.defaultPrevented`,
      );
      expect(prevented).toBe(stopped);
    });

    it('opens no second window, and only allow-listed https sites in the browser', async () => {
      const opened = await app.run<{ actions: string[]; opened: string[] }>(`
        const { openHandler } = electron.BrowserWindow.all[0].webContents;
        const urls = ['https://github.com/x', 'http://github.com/x', 'https://github.com.evil.example/',
          'https://user@github.com/', 'https://evil.example/', 'file:///etc/passwd', 'javascript:alert(1)'];
        return { actions: urls.map((url) => openHandler({ url }).action), opened: electron.shell.opened }`);
      expect(new Set(opened.actions)).toEqual(new Set(['deny']));
      expect(opened.opened).toEqual(['https://github.com/x']);
    });

    it('keeps the playlist of a content as a file, and no other address', async () => {
      const downloads = await app.run<string[]>(`
        const { webContents } = electron.BrowserWindow.all[0];
        for (const url of ['http://127.0.0.1:6878/content/${ID}.m3u', 'http://127.0.0.1:6878/content/../x.m3u',
          'http://192.0.2.1:6878/content/${ID}.m3u', 'http://127.0.0.1:6878/content/${ID}.exe']) webContents.openHandler({ url });
        return webContents.downloads`);
      expect(downloads).toEqual([`http://127.0.0.1:6878/content/${ID}.m3u`]);
    });

    it('guards every web contents that ever comes to be, not only the first', async () => {
      const guarded = await app.run<boolean>(`
        const { webContents } = new electron.BrowserWindow({});
        electron.BrowserWindow.all.pop();
        return webContents.openHandler({ url: 'https://evil.example' }).action === 'deny'
          && webContents.listenerCount('will-navigate') > 0`);
      expect(guarded).toBe(true);
    });
  });

  describe('security: the session', () => {
    const PAGES = 'app://ace-node/';
    const permission = async (name: string, from: string) => ({
      asked: await session<boolean>(
        `(() => { let answer; s.get('permissionRequest')({}, '${name}', (a) => { answer = a }, { requestingUrl: '${from}' }); return answer })()`,
      ),
      checked: await session<boolean>(`s.get('permissionCheck')(null, '${name}', '${from}')`),
    });

    it.each(['fullscreen', 'clipboard-sanitized-write', 'loopback-network', 'local-network-access'])(
      'allows %s to our own pages only',
      async (name) => {
        expect(await permission(name, PAGES)).toEqual({ asked: true, checked: true });
        expect(await permission(name, 'https://evil.example/')).toEqual({ asked: false, checked: false });
        expect(await permission(name, 'app://ace-node.evil/')).toEqual({ asked: false, checked: false });
      },
    );

    it.each(
      'media geolocation notifications midi midiSysex clipboard-read openExternal usb serial hid pointerLock display-capture fileSystem idle-detection storage-access top-level-storage-access keyboardLock window-management persistent-storage unknown'.split(
        ' ',
      ),
    )('denies %s to everybody', async (name) => {
      expect(await permission(name, PAGES)).toEqual({ asked: false, checked: false });
    });

    it('denies every device', async () => {
      expect(await session(`s.get('devicePermission')({})`)).toBe(false);
    });

    it('lets no request out but to the pages and to our node', async () => {
      const { pagesUrl } = await snapshot();
      const cancelled = (url: string) =>
        session<boolean>(
          `(() => { let c; s.get('beforeRequest')({ url: '${url}' }, (a) => { c = a.cancel }); return c })()`,
        );
      expect(await cancelled('app://ace-node/')).toBe(false);
      expect(await cancelled(`${pagesUrl}content/${ID}`)).toBe(false);
      for (const url of [
        'https://evil.example/',
        'http://127.0.0.1:1/',
        'file:///etc/passwd',
        'ws://evil.example/',
      ])
        expect(await cancelled(url), url).toBe(true);
    });

    it('keeps only files of our node and of our own pages', async () => {
      const { pagesUrl } = await snapshot();
      const stopped = (url: string) =>
        app.run<boolean>(
          `const event = electron.preventable();
          electron.session.defaultSession.emit('will-download', event, { getURL: () => ${JSON.stringify(url)} });
          return event.defaultPrevented`,
        );
      expect(await stopped(`${pagesUrl}content/${ID}.m3u`)).toBe(false);
      expect(await stopped('blob:app://ace-node/1')).toBe(false);
      for (const url of ['https://evil.example/x.exe', 'http://127.0.0.1:1/x', 'blob:https://evil.example/1'])
        expect(await stopped(url), url).toBe(true);
    });

    it('lets a script of our pages, and of no others, read what our node answers', async () => {
      const { pagesUrl } = await snapshot();
      expect(await session('s.get("headersReceivedFilter")()')).toEqual({ urls: [`${pagesUrl}*`] });
      const headers = await session(
        `(() => { let h; s.get('headersReceived')({ responseHeaders: { 'Content-Type': ['video/mp4'] } }, (a) => { h = a.responseHeaders }); return h })()`,
      );
      expect(headers).toEqual({
        'Content-Type': ['video/mp4'],
        'Access-Control-Allow-Origin': ['app://ace-node'],
      });
    });

    it('shows the token of this moment to our node, also after a renewal, and to nobody else', async () => {
      const header = () =>
        session<string>(
          `(() => { let h; s.get('beforeSendHeaders')({ requestHeaders: { Origin: 'app://ace-node' } }, (a) => { h = a.requestHeaders }); return h })()`,
        );
      const { pagesUrl } = await snapshot();
      expect(await session('s.get("beforeSendHeadersFilter")()')).toEqual({ urls: [`${pagesUrl}*`] });
      const { output } = await app.call<{ output: { token: string } }>('apiToken');
      expect(await header()).toEqual({ Authorization: `Bearer ${output.token}` });
      const renewed = await app.call<{ output: { token: string } }>('renewApiToken');
      expect(renewed.output.token).not.toBe(output.token);
      expect(await header()).toEqual({ Authorization: `Bearer ${renewed.output.token}` });
      const control = JSON.parse(readFileSync(join(app.dataDir, 'control.json'), 'utf8')) as {
        token: string;
      };
      expect(control.token).toBe(renewed.output.token);
    });
  });

  describe('security: the pages’ scheme', () => {
    const ask = (url: string) =>
      app.run<{ status: number; type: string; csp: string | null; body: string }>(`
        const r = await electron.protocol.handlers.get('app')(new Request(${JSON.stringify(url)}));
        return { status: r.status, type: r.headers.get('content-type'), csp: r.headers.get('content-security-policy'), body: await r.text() }`);

    it('is registered before the app is ready, as secure, without a way around the policy', async () => {
      const call = (await app.run<[string, object[]][]>('return electron.calls')).find(
        ([name]) => name === 'protocol.registerSchemesAsPrivileged',
      );
      expect(call?.[1]).toEqual([
        { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
      ]);
    });

    it('serves the built pages, with a policy that allows no inline script or style', async () => {
      const { status, csp, body } = await ask('app://ace-node/');
      expect(status).toBe(200);
      expect(body).toContain('id="app"');
      const policy = new Map(csp?.split('; ').map((each) => [each.split(' ')[0], each]) ?? []);
      expect(policy.get('default-src')).toBe("default-src 'self'");
      expect(policy.get('script-src')).toBe("script-src 'self'");
      expect(policy.get('style-src')).toBe("style-src 'self'");
      expect(policy.get('object-src')).toBe("object-src 'none'");
      expect(policy.get('frame-ancestors')).toBe("frame-ancestors 'none'");
      expect(policy.get('base-uri')).toBe("base-uri 'none'");
      expect(policy.get('form-action')).toBe("form-action 'none'");
      expect(csp).not.toMatch(/unsafe|\*(?!;| |$)/);
      for (const file of body.matchAll(/(?:src|href)="\.?(\/[^"]+)"/g))
        expect((await ask(`app://ace-node${file[1]}`)).status, file[1]).toBe(200);
      // Nothing inline that the policy would have to allow.
      expect(body).not.toMatch(/<script(?![^>]*src)|<style|style="|\son\w+=/);
    });

    it.each([
      'app://ace-node/../main/electron.js',
      'app://ace-node/%2e%2e/main/electron.js',
      'app://ace-node/..%2fmain%2felectron.js',
      'app://ace-node/assets/..%5c..%5cmain%5celectron.js',
      'app://ace-node//etc/passwd',
      'app://other/index.html',
      'app://ace-node/%00.html',
    ])('has nothing at %s', async (url) => {
      expect((await ask(url)).status).toBe(404);
    });
  });

  describe('security: calls', () => {
    it.each([
      ['a web page', "{ origin: 'https://evil.example', parent: null }"],
      ['a frame in our page', "{ origin: 'app://ace-node', parent: {} }"],
      ['a frame that is gone', 'null'],
      ['a look-alike', "{ origin: 'app://ace-node.evil', parent: null }"],
    ])('refuses %s', async (_who, frame) => {
      for (const procedure of ['snapshot', 'apiToken', 'shutdown', 'openFolder'])
        expect(await app.call(procedure, {}, frame)).toMatchObject({ error: { code: 'InvalidInput' } });
    });

    it('answers our own page, and has one way in', async () => {
      expect((await snapshot()).account).toMatch(/^0x/);
      expect(await app.run('return [...electron.ipcMain.handlers.keys()]')).toEqual(['ace:call']);
    });
  });

  describe('the window', () => {
    it('is one, with the pages in it, shown when they are there', async () => {
      expect(await app.windows()).toBe(1);
      expect(
        await firstWindow('({ url: w.url, visible: w.visible, menu: w.options.autoHideMenuBar })'),
      ).toEqual({
        url: 'app://ace-node/',
        visible: true,
        menu: true,
      });
    });

    it('has a live feed: a snapshot first, then every change without asking', async () => {
      await waitFor('a snapshot', async () => (await app.told('snapshot')).length > 0);
      const before = (await app.told<NodeSnapshot>('snapshot')).length;
      await app.call('topUp', { amountXat: '1' });
      const told = await waitFor('a changed snapshot', async () => {
        const all = await app.told<NodeSnapshot>('snapshot');
        return all.slice(before).find(({ holdings }) => Number(holdings.services.XAT) > 0);
      });
      expect(told.account).toMatch(/^0x/);
    });

    it('stays one when the app is started again', async () => {
      await app.run(
        "electron.BrowserWindow.all[0].focused = false; electron.app.emit('second-instance', {}, ['ace-node'], '/', null)",
      );
      expect(await app.windows()).toBe(1);
      expect(await firstWindow('w.focused')).toBe(true);
    });
  });

  describe('links', () => {
    it.each([
      [
        'a second start (Windows, Linux)',
        `electron.app.emit('second-instance', {}, ['ace-node', '--x', '${LINK}'], '/', null)`,
      ],
      ['an event (macOS)', `electron.app.emit('open-url', electron.preventable(), 'ace:${ID}')`],
    ])('come by %s and are shown, never played', async (_how, code) => {
      const before = (await app.told<NavigateView>('navigate')).length;
      await app.run(code);
      const told = await app.told<NavigateView>('navigate');
      expect(told).toHaveLength(before + 1);
      expect(told.at(-1)).toMatchObject({ view: 'watch', link: expect.stringContaining(ID) });
      expect((await snapshot()).transfers).toEqual([]);
    });
  });

  describe('the tray', () => {
    it('opens the window and quits, in the language of the pages', async () => {
      const labels = () =>
        app.run<string[]>('return electron.Tray.all[0].menu.template.flatMap(({ label }) => label ?? [])');
      expect(await labels()).toEqual(['Open Ace Node', 'Quit']);
      await app.call('setShell', { language: 'ru' });
      expect(await labels()).toEqual(['Открыть Ace Node', 'Выйти']);
      await app.run(
        'electron.BrowserWindow.all[0].focused = false; electron.Tray.all[0].menu.template[0].click()',
      );
      expect(await firstWindow('w.focused')).toBe(true);
      await app.call('setShell', { language: 'en' });
    });
  });

  describe('the shell’s settings', () => {
    const shell = async () => (await app.call<{ output: ShellView }>('shell')).output;

    it('are told and kept, and every page hears of a change', async () => {
      expect(await shell()).toMatchObject({ kind: 'desktop', tray: true, closing: null });
      const { output } = await app.call<{ output: ShellView }>('setShell', { notifications: false });
      expect(output.preferences?.notifications).toBe(false);
      expect((await app.told<ShellView>('shell')).at(-1)?.preferences?.notifications).toBe(false);
      const kept = JSON.parse(readFileSync(join(app.dataDir, 'window/shell.json'), 'utf8')) as object;
      expect(kept).toMatchObject({ notifications: false });
      await app.call('setShell', { notifications: true });
    });

    it.runIf(process.platform === 'linux')('switch the start at login on and off', async () => {
      const entry = join(app.home, '.config/autostart/ace-node.desktop');
      expect((await shell()).autostart).toBe(false);
      await app.call('setShell', { autostart: true });
      expect((await shell()).autostart).toBe(true);
      expect(readFileSync(entry, 'utf8')).toContain(`Exec="${process.execPath}" --at-login`);
      await app.call('setShell', { autostart: false });
      expect(existsSync(entry)).toBe(false);
      expect((await shell()).autostart).toBe(false);
    });

    it('open the folders and the dialog of the system', async () => {
      await app.call('openFolder', { folder: 'data' });
      await app.call('openFolder', { folder: 'reports' });
      expect(await app.run('return electron.shell.paths')).toEqual([
        app.dataDir,
        join(app.dataDir, 'reports'),
      ]);
      await app.run("electron.dialog.chosen = ['/films/one.mp4']");
      expect(await app.call('chooseFiles')).toEqual({ output: { paths: ['/films/one.mp4'] } });
    });

    it('are no business of a browser that reaches the same node', async () => {
      const { pagesUrl } = await snapshot();
      const { output } = await app.call<{ output: { token: string } }>('apiToken');
      const { connect } = await import('../../main/rpc/ws-client.ts');
      const client = await connect(pagesUrl ?? '', output.token);
      expect(await client.call('shell', {})).toMatchObject({ kind: 'headless' });
      await expect(client.call('openFolder', { folder: 'data' })).rejects.toMatchObject({
        code: 'NotInThisShell',
      });
      await client.close();
    });
  });

  describe('notifications', () => {
    it('tell of a finished import while nobody looks, and a click leads there', async () => {
      const film = join(temporaryHome(), 'film.mp4');
      writeFileSync(film, Buffer.alloc(100_000, 'film'));
      await app.run('electron.BrowserWindow.all[0].focused = false');
      const { output } = await app.call<{ output: { contentId: string } }>('importFile', { path: film });
      await waitFor('a notification', () => app.run<boolean>('return electron.Notification.all.length > 0'));
      expect(await app.run('return electron.Notification.all[0].options')).toEqual({
        title: 'Import finished',
        body: '“film.mp4” is shared now.',
      });
      await app.run("electron.Notification.all[0].emit('click')");
      expect(await firstWindow('w.focused')).toBe(true);
      expect((await app.told<NavigateView>('navigate')).at(-1)).toEqual({
        view: 'watch',
        link: null,
        contentId: output.contentId,
      });
    });

    it('leave whoever is looking alone', async () => {
      const film = join(temporaryHome(), 'other.mp4');
      writeFileSync(film, Buffer.alloc(100_000, 'other'));
      const before = await app.run<number>('return electron.Notification.all.length');
      await app.call('importFile', { path: film });
      expect(await app.run('return electron.Notification.all.length')).toBe(before);
    });
  });

  describe('what breaks', () => {
    it('in the pages’ process is reported, and the pages are loaded again, a bounded number of times', async () => {
      for (let i = 0; i < 5; i++)
        await app.run(
          "electron.BrowserWindow.all[0].webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 139 })",
        );
      expect(await firstWindow('w.webContents.reloads')).toBe(3);
      await app.run(
        "electron.BrowserWindow.all[0].webContents.emit('render-process-gone', {}, { reason: 'clean-exit', exitCode: 0 })",
      );
      const gone = app.crashes().filter(({ kind }) => kind === 'renderer-gone');
      expect(gone).toHaveLength(5);
      expect(gone[0]?.details).toEqual({ reason: 'crashed', exitCode: 139 });
    });

    it('in another process of Electron’s is reported', async () => {
      await app.run(
        "electron.app.emit('child-process-gone', {}, { type: 'GPU', reason: 'oom', exitCode: 9 })",
      );
      expect(app.crashes().at(-1)).toMatchObject({
        kind: 'child-gone',
        details: { type: 'GPU', reason: 'oom' },
      });
    });
  });

  async function snapshot(): Promise<NodeSnapshot> {
    return (await app.call<{ output: NodeSnapshot }>('snapshot')).output;
  }
});
