/** What the user has set about the window, in a file beside Electron's own. What cannot be read is as never set. */
import { existsSync, readFileSync } from 'node:fs';
import { LANGUAGES, type ShellPreferences, shellPreferencesSchema } from '../../shared/rpc/shell.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';

export interface Preferences {
  readonly current: ShellPreferences;
  change(changes: Partial<ShellPreferences>): Promise<void>;
}

/** @param locale of the system, such as `ru-RU`; asked for with the first use, for Electron knows none before it is ready */
export function openPreferences(file: string, locale: () => string, platform: NodeJS.Platform): Preferences {
  let known: ShellPreferences | null = null;
  const get = () => {
    known ??= { ...defaults(locale(), platform), ...read(file) };
    return known;
  };
  return {
    get current() {
      return get();
    },
    async change(changes) {
      const before = get();
      const next = shellPreferencesSchema.parse({ ...before, ...changes });
      known = next;
      try {
        await writeFileAtomic(file, `${JSON.stringify(next, null, 2)}\n`, 0o600);
      } catch (error) {
        // The user is told that it was not set.
        if (known === next) known = before;
        throw error;
      }
    },
  };
}

function defaults(locale: string, platform: NodeJS.Platform): ShellPreferences {
  return {
    startHidden: true,
    // Many Linux desktops show no tray: there, a window that was closed should not leave something running unseen.
    keepRunning: platform !== 'linux',
    notifications: true,
    language: LANGUAGES.find((language) => locale.toLowerCase().startsWith(language)) ?? 'en',
  };
}

function read(file: string): Partial<ShellPreferences> {
  if (!existsSync(file)) return {};
  try {
    const stored = shellPreferencesSchema.partial().parse(JSON.parse(readFileSync(file, 'utf8')));
    return Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined));
  } catch {
    return {};
  }
}
