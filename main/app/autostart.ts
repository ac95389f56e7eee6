/** Starting at login: the system's own list on Windows and macOS, a desktop entry of the user's on Linux. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { App } from 'electron';
import { AceError } from '../../shared/errors.ts';
import { AT_LOGIN_SWITCH, ownProgram } from './own-program.ts';

const ENTRY_NAME = 'ace-node.desktop';

export interface Autostart {
  /** `null` where this app cannot be started at login: it runs from a checkout. */
  enabled(): boolean | null;
  /** @throws AceError `StoreFailed` */
  set(enabled: boolean): void;
  /** Whether this start was one. To be asked once the app is ready: macOS does not know before. */
  atLogin(): boolean;
}

export interface AutostartContext {
  readonly app: Pick<App, 'isPackaged' | 'getLoginItemSettings' | 'setLoginItemSettings'>;
  readonly platform: NodeJS.Platform;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
  readonly homeDir: string;
  /** What keeps the entry from being brought up to date. */
  readonly onError: (error: unknown) => void;
}

export function createAutostart(parts: AutostartContext): Autostart {
  const atLogin = () =>
    parts.argv.includes(AT_LOGIN_SWITCH) ||
    (parts.platform === 'darwin' && parts.app.getLoginItemSettings().wasOpenedAtLogin);
  if (!parts.app.isPackaged) return { enabled: () => null, set: () => {}, atLogin };
  return { ...(parts.platform === 'linux' ? desktopEntry(parts) : loginItem(parts)), atLogin };
}

function loginItem({ app, platform, execPath }: AutostartContext): Pick<Autostart, 'enabled' | 'set'> {
  // macOS passes no arguments, and reports by itself that it was a start at login.
  // In quotes, for Electron writes it down as it is (browser_win.cc, `FormatCommandLineString`): Windows would take a program
  // named by what stands before a space, if there was one.
  const options = platform === 'win32' ? { path: `"${execPath}"`, args: [AT_LOGIN_SWITCH] } : {};
  return {
    enabled: () => {
      const { openAtLogin, executableWillLaunchAtLogin } = app.getLoginItemSettings(options);
      // On Windows the task manager can switch it off without removing it.
      return platform === 'win32' ? executableWillLaunchAtLogin : openAtLogin;
    },
    set: (openAtLogin) => app.setLoginItemSettings({ openAtLogin, ...options }),
  };
}

function desktopEntry({
  env,
  execPath,
  homeDir,
  onError,
}: AutostartContext): Pick<Autostart, 'enabled' | 'set'> {
  const { XDG_CONFIG_HOME: given = '' } = env;
  // One that is not absolute is invalid, and left aside: XDG base directory specification.
  const file = join(isAbsolute(given) ? given : join(homeDir, '.config'), 'autostart', ENTRY_NAME);
  const text = entryText(ownProgram({ env, execPath }));
  const read = () => {
    try {
      return existsSync(file) ? readFileSync(file, 'utf8') : null;
    } catch {
      return null; // what cannot be read starts nothing of ours
    }
  };
  const isOn = (entry: string | null) =>
    entry !== null && !/^(?:Hidden=true|X-GNOME-Autostart-enabled=false)$/m.test(entry);
  const write = () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  // The program may have moved since it was switched on. That it cannot be told so is no reason not to start.
  if (isOn(read()) && read() !== text) {
    try {
      write();
    } catch (error) {
      onError(error);
    }
  }
  return {
    enabled: () => isOn(read()),
    set: (enabled) => {
      try {
        if (enabled) write();
        else rmSync(file, { force: true });
      } catch (error) {
        throw new AceError('StoreFailed', `${file} cannot be written`, { cause: error });
      }
    },
  };
}

function entryText(program: string): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Ace Node',
    `Exec=${quoted(program)} ${AT_LOGIN_SWITCH}`,
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n');
}

/** As the desktop entry specification has it: quoted for the command line, then escaped as a string. */
function quoted(program: string): string {
  const inQuotes = program.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%');
  return `"${inQuotes.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}"`;
}
