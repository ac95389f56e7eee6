/**
 * Whether the desktop shows tray icons. Electron does not tell on Linux: where there is no place for one it makes it all the
 * same, and nobody sees it (shell/browser/ui/tray_icon_linux.cc). Who shows them owns a name on the session's bus. GNOME has
 * nobody who does, without an extension.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const WATCHER = 'org.kde.StatusNotifierWatcher';
const BUS = 'org.freedesktop.DBus';
/** Asked while the node starts, which takes longer. */
const ANSWER_WITHIN_MS = 1_000;

/** Programs that ask the bus; one of them comes with every desktop. By their place: none from somebody's PATH. */
const QUESTIONS: readonly (readonly [program: string, ...args: string[]])[] = [
  [
    '/usr/bin/gdbus',
    ...['call', '--session', '--dest', BUS, '--object-path', '/', '--method', `${BUS}.NameHasOwner`, WATCHER],
  ],
  ['/usr/bin/busctl', ...['--user', 'call', BUS, '/', BUS, 'NameHasOwner', 's', WATCHER]],
];

/** Resolves with what the program has printed. */
export type Ask = (program: string, args: readonly string[]) => Promise<string>;

/** `false` also where nobody answers: a window that can be found is no harm. */
export async function showsTrayIcons(platform: NodeJS.Platform, ask: Ask = run): Promise<boolean> {
  if (platform !== 'linux') return true;
  for (const [program, ...args] of QUESTIONS) {
    const said = await ask(program, args).catch(() => null);
    if (said !== null) return /\btrue\b/.test(said);
  }
  return false;
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { timeout: ANSWER_WITHIN_MS });
  return stdout;
}
