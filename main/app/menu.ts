/** The application menu: macOS takes the keys for copying and quitting from it; elsewhere there is none. */
import type { Menu, MenuItemConstructorOptions } from 'electron';

const MAC_MENU: readonly MenuItemConstructorOptions[] = [
  { role: 'appMenu' },
  { role: 'editMenu' },
  { role: 'windowMenu' },
];

export function setMenu(
  menu: Pick<typeof Menu, 'buildFromTemplate' | 'setApplicationMenu'>,
  platform: NodeJS.Platform,
): void {
  menu.setApplicationMenu(platform === 'darwin' ? menu.buildFromTemplate([...MAC_MENU]) : null);
}
