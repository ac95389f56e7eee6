/** The tray icon: a second way to the window and to the end, never the only one, since many desktops show none. */
import type { Menu, NativeImage, Tray } from 'electron';
import type { ShellWords } from './shell-words.ts';

export interface TrayParts {
  readonly Tray: new (icon: NativeImage) => Tray;
  readonly Menu: Pick<typeof Menu, 'buildFromTemplate'>;
  readonly icon: NativeImage;
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
export function createTray(parts: TrayParts): AppTray | null {
  let tray: Tray;
  try {
    if (parts.icon.isEmpty()) throw new Error('The tray icon is missing');
    tray = new parts.Tray(parts.icon);
  } catch (error) {
    parts.onError(error);
    return null;
  }
  const update = (closing: boolean) => {
    const words = parts.words();
    tray.setToolTip(closing ? words.closing : 'Ace Node');
    tray.setContextMenu(
      parts.Menu.buildFromTemplate(
        closing
          ? [{ label: words.closing, enabled: false }]
          : [
              { label: words.open, click: parts.onOpen },
              { type: 'separator' },
              { label: words.quit, click: parts.onQuit },
            ],
      ),
    );
  };
  update(false);
  tray.on('click', parts.onOpen);
  return { update, destroy: () => tray.destroy() };
}
