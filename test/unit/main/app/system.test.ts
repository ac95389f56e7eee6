/** What differs from system to system: links, the start at login, the menu, and what the user has set. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AutostartContext, createAutostart } from '../../../../main/app/autostart.ts';
import { claimLinks, linkIn, readLink } from '../../../../main/app/deep-link.ts';
import { setMenu } from '../../../../main/app/menu.ts';
import { startAgain } from '../../../../main/app/own-program.ts';
import { openPreferences } from '../../../../main/app/preferences.ts';
import { shellWords } from '../../../../main/app/shell-words.ts';

const ID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ace-system-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('links', () => {
  it.each([`acestream://${ID}`, `acestream:${ID}`, `ace:${ID}`, `ACE://${ID}`])('takes %s', (link) => {
    expect(readLink(link)).toBe(link);
    expect(linkIn(['/opt/ace-node', '--flag', link, 'ace:second'])).toBe(link);
  });

  it.each([
    '',
    'ace:',
    'https://x',
    `xace:${ID}`,
    `ace:${ID}\n--flag`,
    'ace:a b',
    'ace:"',
    `ace:${'x'.repeat(253)}`,
    'ace:ж',
  ])('takes %j for no link, or as harmless text', (text) => {
    const link = readLink(text);
    // A quote is text like any other: it is shown, never run.
    expect(link === null || /^ace:["]$/.test(link)).toBe(true);
  });

  it('are claimed by an installed app where nobody has them', () => {
    const app = (isPackaged: boolean, other = '') => ({
      isPackaged,
      getApplicationNameForProtocol: () => other,
      setAsDefaultProtocolClient: vi.fn(() => true),
    });
    for (const [given, platform, claimed] of [
      [app(true), 'win32', 2],
      [app(true), 'darwin', 2],
      [app(true), 'linux', 0], // the package's desktop entry does
      [app(true, 'Ace Stream'), 'win32', 0],
      // From where it was before: the system knows the file's name only.
      [app(true, 'Ace Node.exe'), 'win32', 2],
      [app(true, 'Ace Node'), 'win32', 2],
      [app(true, 'Ace Node Pro'), 'win32', 0],
      [app(false), 'win32', 0],
    ] as const) {
      claimLinks(given, platform);
      expect(given.setAsDefaultProtocolClient).toHaveBeenCalledTimes(claimed);
    }
  });
});

describe('a start in its own place', () => {
  const start = {
    argv: ['/opt/ace', '/src/out/main/electron.js', '--at-login', 'ace:old'],
    env: {},
    execPath: '/opt/ace',
  };

  it('is one by the user, on the link that they asked for', () => {
    expect(startAgain(start, 'ace:new')).toEqual({
      execPath: '/opt/ace',
      args: ['/src/out/main/electron.js', 'ace:new'],
    });
    expect(startAgain(start, null).args).toEqual(['/src/out/main/electron.js']);
  });

  it('is one of the AppImage, whose folder is gone by then', () => {
    const given = { ...start, env: { APPIMAGE: '/home/me/Ace.AppImage' } };
    expect(startAgain(given, null).execPath).toBe('/opt/ace');
    const execPath = '/tmp/.mount_AceX/ace-node';
    expect(startAgain({ ...given, execPath }, null).execPath).toBe('/home/me/Ace.AppImage');
  });
});

describe('the start at login', () => {
  const parts = (platform: NodeJS.Platform, more: Partial<AutostartContext> = {}, login = {}) => {
    const settings = {
      openAtLogin: false,
      wasOpenedAtLogin: false,
      executableWillLaunchAtLogin: false,
      ...login,
    };
    const app = {
      isPackaged: true,
      getLoginItemSettings: vi.fn(() => settings),
      setLoginItemSettings: vi.fn(),
    };
    const given = {
      app,
      platform,
      argv: ['ace-node'],
      env: {},
      execPath: '/opt/Ace Node/ace-node',
      homeDir: dir,
    };
    return { app, autostart: createAutostart({ ...given, ...more } as unknown as AutostartContext) };
  };
  const entry = () => join(dir, '.config/autostart/ace-node.desktop');

  it('is the system’s own on macOS and Windows', () => {
    const mac = parts('darwin', {}, { openAtLogin: true, wasOpenedAtLogin: true });
    expect(mac.autostart.enabled()).toBe(true);
    expect(mac.autostart.atLogin()).toBe(true);
    mac.autostart.set(false);
    expect(mac.app.setLoginItemSettings).toHaveBeenCalledExactlyOnceWith({ openAtLogin: false });

    const windows = parts('win32', {}, { openAtLogin: true, executableWillLaunchAtLogin: false });
    expect(windows.autostart.enabled(), 'switched off in the task manager').toBe(false);
    windows.autostart.set(true);
    const options = { path: '"/opt/Ace Node/ace-node"', args: ['--at-login'] };
    expect(windows.app.setLoginItemSettings).toHaveBeenCalledExactlyOnceWith({
      openAtLogin: true,
      ...options,
    });
    expect(windows.app.getLoginItemSettings).toHaveBeenCalledWith(options);
  });

  it('is a desktop entry on Linux', () => {
    const { autostart } = parts('linux');
    expect(autostart.enabled()).toBe(false);
    autostart.set(true);
    expect(autostart.enabled()).toBe(true);
    expect(readFileSync(entry(), 'utf8')).toContain('Exec="/opt/Ace Node/ace-node" --at-login\n');
    autostart.set(false);
    expect(existsSync(entry())).toBe(false);
    autostart.set(false);
  });

  it('names the AppImage, not the folder that it runs from, and follows it when it moves', () => {
    const execPath = '/tmp/.mount_Ace-NoX1y2z3/ace-node';
    parts('linux', { execPath, env: { APPIMAGE: '/home/me/Ace.AppImage' } }).autostart.set(true);
    expect(readFileSync(entry(), 'utf8')).toContain('Exec="/home/me/Ace.AppImage" --at-login');
    parts('linux', { execPath, env: { APPIMAGE: '/home/me/apps/Ace.AppImage' } });
    expect(readFileSync(entry(), 'utf8')).toContain('Exec="/home/me/apps/Ace.AppImage" --at-login');
  });

  // One variable had another program started at each login, from then on.
  it('names itself where it is no AppImage, whatever the environment says', () => {
    parts('linux', { env: { APPIMAGE: '/tmp/another-program' } }).autostart.set(true);
    expect(readFileSync(entry(), 'utf8')).toContain('Exec="/opt/Ace Node/ace-node" --at-login\n');
  });

  it('leaves a folder of settings aside that is not absolute', () => {
    parts('linux', { env: { XDG_CONFIG_HOME: 'somewhere' } }).autostart.set(true);
    expect(existsSync('somewhere')).toBe(false);
    expect(existsSync(entry())).toBe(true);
  });

  it('respects that the user has switched it off in the system', () => {
    parts('linux').autostart.set(true);
    writeFileSync(entry(), `${readFileSync(entry(), 'utf8')}Hidden=true\n`);
    const { autostart } = parts('linux', { execPath: '/moved' });
    expect(autostart.enabled()).toBe(false);
    expect(readFileSync(entry(), 'utf8')).not.toContain('/moved');
  });

  it('puts no path of a program into the entry that could say anything else', () => {
    parts('linux', { execPath: '/a"b$(x)`y`%f\\z\nHidden=true' }).autostart.set(true);
    const text = readFileSync(entry(), 'utf8');
    expect(text).toContain(
      String.raw`Exec="/a\\"b\\$(x)\\` +
        '`y' +
        String.raw`\\` +
        '`%%f' +
        String.raw`\\\\z\nHidden=true" --at-login`,
    );
    expect(text).not.toMatch(/^Hidden/m);
  });

  it('cannot be had from a checkout', () => {
    const { autostart } = parts('linux', {
      app: { isPackaged: false, getLoginItemSettings: () => ({}), setLoginItemSettings: () => {} } as never,
      argv: ['electron', '--at-login'],
    });
    expect(autostart.enabled()).toBeNull();
    expect(autostart.atLogin()).toBe(true);
  });
});

describe('the menu', () => {
  const menuOf = (platform: NodeJS.Platform) => {
    const menu = { buildFromTemplate: vi.fn((items: unknown) => items), setApplicationMenu: vi.fn() };
    setMenu(menu as never, platform, shellWords('ru').menu);
    return menu.setApplicationMenu.mock.calls[0]?.[0] as { label: string; submenu?: { role?: string }[] }[];
  };
  const roles = (platform: NodeJS.Platform) =>
    menuOf(platform).flatMap(({ submenu }) => submenu?.flatMap(({ role }) => role ?? []) ?? []);

  it.each<NodeJS.Platform>(['linux', 'win32', 'darwin'])(
    'zooms, copies, closes and quits on %s, and neither reloads nor opens tools',
    (platform) => {
      for (const role of ['zoomIn', 'zoomOut', 'resetZoom', 'copy', 'paste', 'close', 'quit']) {
        expect(roles(platform)).toContain(role);
      }
      expect(roles(platform).filter((role) => /reload|devtools/i.test(role))).toEqual([]);
    },
  );

  it('has words of the user’s language, and the name of the program on macOS', () => {
    expect(menuOf('linux').map(({ label }) => label)).toEqual(['Файл', 'Правка', 'Вид']);
    expect(menuOf('darwin')[0]?.label).toBe('Ace Node');
    expect(JSON.stringify(menuOf('darwin'))).toContain('Завершить Ace Node');
  });
});

describe('what the user has set', () => {
  const file = () => join(dir, 'shell.json');

  it('begins with the language of the system, and a closed window that quits where a tray may be missing', () => {
    expect(openPreferences(file(), () => 'ru-RU', 'linux').current).toEqual({
      startHidden: true,
      keepRunning: false,
      notifications: true,
      language: 'ru',
    });
    expect(openPreferences(file(), () => 'de-DE', 'win32').current).toMatchObject({
      language: 'en',
      keepRunning: true,
    });
  });

  it('is kept', async () => {
    await openPreferences(file(), () => 'en', 'linux').change({ language: 'ru', keepRunning: true });
    expect(openPreferences(file(), () => 'en', 'linux').current).toMatchObject({
      language: 'ru',
      keepRunning: true,
    });
  });

  it.each(['', '[]', '{"language":"xx"}', '{"evil":1}', 'null'])(
    'is as never set where the file holds %j',
    (text) => {
      writeFileSync(file(), text);
      expect(openPreferences(file(), () => 'en', 'linux').current.notifications).toBe(true);
    },
  );
});
