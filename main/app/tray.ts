/** The tray icon: a second way to the window and to the end, never the only one, since many desktops show none. */
import type { Menu, NativeImage, Tray } from 'electron';
import type { ShellWords } from './shell-words.ts';

export interface TrayContext {
  readonly Tray: new (icon: NativeImage) => Tray;
  readonly Menu: Pick<typeof Menu, 'buildFromTemplate'>;
  readonly icon: NativeImage;
  readonly platform: NodeJS.Platform;
  readonly words: () => ShellWords;
  readonly onOpen: () => void;
  readonly onQuit: () => void;
  readonly onError: (error: unknown) => void;
}

export interface AppTray {
  /** The language changed, or the app closes. */
  update(closing: boolean): void;
  destroy(): void;
}

/** `null` where the system has no place for one. */
export function createTray(context: TrayContext): AppTray | null {
  let tray: Tray;
  try {
    if (context.icon.isEmpty()) throw new Error('The tray icon is missing');
    tray = new context.Tray(context.icon);
  } catch (error) {
    context.onError(error);
    return null;
  }
  const update = (closing: boolean) => {
    const words = context.words();
    tray.setToolTip(closing ? words.closing : 'Ace Node');
    tray.setContextMenu(
      context.Menu.buildFromTemplate(
        closing
          ? [{ label: words.closing, enabled: false }]
          : [
              { label: words.open, click: context.onOpen },
              { type: 'separator' },
              { label: words.quit, click: context.onQuit },
            ],
      ),
    );
  };
  update(false);
  // On macOS a click opens the menu, which has the same in it.
  if (context.platform !== 'darwin') tray.on('click', context.onOpen);
  return { update, destroy: () => tray.destroy() };
}
