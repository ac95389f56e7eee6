/**
 * The application menu. macOS takes the keys for copying and quitting from it; elsewhere it is hidden until Alt is pressed,
 * and gives the keys for zooming, which some cannot do without.
 */
import type { Menu, MenuItemConstructorOptions } from 'electron';
import type { ShellWords } from './shell-words.ts';

type MenuWords = ShellWords['menu'];

export function setMenu(
  menu: Pick<typeof Menu, 'buildFromTemplate' | 'setApplicationMenu'>,
  platform: NodeJS.Platform,
  words: MenuWords,
): void {
  menu.setApplicationMenu(menu.buildFromTemplate(menuTemplate(platform, words)));
}

/** With words of our own: those of Electron's roles are English, and name the program's file. */
function menuTemplate(platform: NodeJS.Platform, words: MenuWords): MenuItemConstructorOptions[] {
  const close: MenuItemConstructorOptions = { role: 'close', label: words.close };
  const quit: MenuItemConstructorOptions = { role: 'quit', label: words.quit };
  const view: MenuItemConstructorOptions = { label: words.view, submenu: viewItems(words) };
  const edit: MenuItemConstructorOptions = { label: words.edit, submenu: editItems(words) };
  if (platform !== 'darwin') return [{ label: words.file, submenu: [close, quit] }, edit, view];
  const own: MenuItemConstructorOptions[] = [
    { role: 'about', label: words.about },
    { type: 'separator' },
    { role: 'hide', label: words.hide },
    { role: 'hideOthers', label: words.hideOthers },
    { role: 'unhide', label: words.showAll },
    { type: 'separator' },
    quit,
  ];
  return [
    { label: 'Ace Node', submenu: own },
    { label: words.file, submenu: [close] },
    edit,
    view,
    { role: 'windowMenu', label: words.window },
  ];
}

function editItems(words: MenuWords): MenuItemConstructorOptions[] {
  return [
    { role: 'undo', label: words.undo },
    { role: 'redo', label: words.redo },
    { type: 'separator' },
    { role: 'cut', label: words.cut },
    { role: 'copy', label: words.copy },
    { role: 'paste', label: words.paste },
    { role: 'selectAll', label: words.selectAll },
  ];
}

function viewItems(words: MenuWords): MenuItemConstructorOptions[] {
  return [
    { role: 'resetZoom', label: words.actualSize },
    { role: 'zoomIn', label: words.zoomIn },
    // The same without Shift, where the plus sign is above the equals sign.
    { role: 'zoomIn', label: words.zoomIn, accelerator: 'CommandOrControl+=', visible: false },
    { role: 'zoomOut', label: words.zoomOut },
    { type: 'separator' },
    { role: 'togglefullscreen', label: words.fullScreen },
  ];
}
