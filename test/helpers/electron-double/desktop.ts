/** What the app has of the desktop: tray, menus, notifications, boxes, screens, and other programs. */
import { EventEmitter } from 'node:events';
import { afterReady, isReadyNow, note, options } from './state.ts';

/** shell/browser/ui/tray_icon_linux.cc: made even where nobody shows it. */
export class Tray extends EventEmitter {
  static all: Tray[] = [];
  toolTip = '';
  menu: { template: { label?: string; click?: () => void }[] } | null = null;
  constructor() {
    super();
    afterReady('Tray');
    Tray.all.push(this);
  }
  #destroyed = false;
  /** shell/browser/api/electron_api_tray.cc, `CheckAlive`. */
  #alive(): void {
    if (this.#destroyed) throw new Error('Tray is destroyed');
  }
  setToolTip(text: string): void {
    this.#alive();
    this.toolTip = text;
  }
  setContextMenu(menu: Tray['menu']): void {
    this.#alive();
    this.menu = menu;
  }
  destroy(): void {
    note('tray.destroy');
    this.#destroyed = true;
  }
}

export const Menu = {
  buildFromTemplate: (template: object[]) => ({ template }),
  setApplicationMenu: (menu: unknown) => note('Menu.setApplicationMenu', menu),
};

export class Notification extends EventEmitter {
  static all: Notification[] = [];
  static isSupported = () => true;
  readonly options: object;
  constructor(given: object) {
    super();
    this.options = given;
  }
  show(): void {
    Notification.all.push(this);
  }
  close(): void {}
}

export const nativeImage = {
  createFromPath: (path: string) => ({ path, isEmpty: () => false }),
};

export const dialog = {
  errors: [] as [string, string][],
  chosen: [] as string[],
  /** Before the app is ready it goes to stderr; after that it holds up the process until somebody answers. */
  showErrorBox(title: string, text: string): void {
    dialog.errors.push([title, text]);
    note('dialog.showErrorBox', title, text);
    if (isReadyNow() && options.nobodyThere) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  async showMessageBox(box: { message: string; detail?: string }): Promise<{ response: number }> {
    afterReady('dialog.showMessageBox');
    dialog.errors.push([box.message, box.detail ?? '']);
    note('dialog.showMessageBox', box);
    if (options.nobodyThere) await new Promise(() => {});
    return { response: 0 };
  },
  showOpenDialog: async () => ({ canceled: dialog.chosen.length === 0, filePaths: dialog.chosen }),
};

export const shell = {
  opened: [] as string[],
  paths: [] as string[],
  openExternal: async (url: string) => void shell.opened.push(url),
  openPath: async (path: string) => {
    shell.paths.push(path);
    return '';
  },
};

const MAIN_DISPLAY = { id: 1, workArea: { x: 0, y: 0, width: 1_920, height: 1_080 } };
export const nativeTheme = { shouldUseDarkColors: false };

export const screen = {
  getPrimaryDisplay() {
    afterReady('screen');
    return options.displays?.[0] ?? MAIN_DISPLAY;
  },
  getAllDisplays() {
    afterReady('screen');
    return options.displays ?? [MAIN_DISPLAY];
  },
};

export const powerMonitor = new EventEmitter();
