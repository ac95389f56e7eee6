/** The shell's procedures in the desktop app: its settings, folders and dialogs. */
import { mkdirSync } from 'node:fs';
import type { BrowserWindow, Dialog, Shell } from 'electron';
import { AceError } from '../../shared/errors.ts';
import type { ClosingView, ShellView } from '../../shared/rpc/shell.ts';
import type { ShellService } from '../rpc/shell-service.ts';
import type { Autostart } from './autostart.ts';
import type { Preferences } from './preferences.ts';

export interface DesktopShellContext {
  readonly dialog: Pick<Dialog, 'showOpenDialog'>;
  readonly shell: Pick<Shell, 'openPath'>;
  readonly window: () => BrowserWindow | null;
  readonly preferences: Preferences;
  readonly autostart: Autostart;
  readonly hasTray: () => boolean;
  readonly closing: () => ClosingView | null;
  readonly folders: { readonly data: string; readonly reports: string };
  /** Something in the view changed. */
  readonly onChange: () => void;
}

export interface DesktopShell extends ShellService {
  view(): ShellView;
}

export function createDesktopShell(context: DesktopShellContext): DesktopShell {
  const { preferences, autostart, folders } = context;
  const view = (): ShellView => ({
    kind: 'desktop',
    platform: process.platform,
    autostart: autostart.enabled(),
    preferences: preferences.current,
    tray: context.hasTray(),
    closing: context.closing(),
  });
  return {
    view,
    shell: async () => view(),
    async setShell({ autostart: atLogin, ...given }) {
      if (atLogin !== undefined && autostart.enabled() === null) {
        throw new AceError('NotInThisShell', 'Only an installed app can be started at login');
      }
      if (atLogin !== undefined && atLogin !== autostart.enabled()) autostart.set(atLogin);
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      if (Object.keys(changes).length > 0) await preferences.change(changes);
      context.onChange();
      return view();
    },
    async openFolder({ folder }) {
      const path = folders[folder];
      mkdirSync(path, { recursive: true, mode: 0o700 });
      const problem = await context.shell.openPath(path);
      if (problem !== '') {
        throw new AceError('FileUnreadable', `${path} cannot be shown: ${problem}`, { details: { path } });
      }
      return {};
    },
    async chooseFiles() {
      const window = context.window();
      if (window === null) return { paths: [] };
      const { filePaths } = await context.dialog.showOpenDialog(window, {
        properties: ['openFile', 'multiSelections'],
      });
      return { paths: filePaths };
    },
  };
}
