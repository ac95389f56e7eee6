/**
 * From start to quit of the desktop app: one instance per data directory, the node before the window, and a quit that
 * waits until the node has stored everything and closed.
 */
import type { App, BrowserWindow, Dialog } from 'electron';
import { isAceError } from '../../shared/errors.ts';

/** What the app runs; `stop` must be safe to call once at any time. */
export interface Stoppable {
  stop(): Promise<void>;
}

export interface LifecycleParts<Node extends Stoppable> {
  readonly app: Pick<App, 'requestSingleInstanceLock' | 'whenReady' | 'on' | 'quit' | 'exit'>;
  readonly dialog: Pick<Dialog, 'showErrorBox'>;
  readonly startNode: () => Promise<Node>;
  /** Opens the window on a running node. */
  readonly openWindow: (node: Node) => BrowserWindow;
}

/** Resolves when the window is open, or the app was told to quit because it cannot be. */
export async function runApp<Node extends Stoppable>(parts: LifecycleParts<Node>): Promise<void> {
  const { app } = parts;
  if (!app.requestSingleInstanceLock()) return app.quit();

  let window: BrowserWindow | null = null;
  let node: Node | null = null;
  let quitting = false;

  const show = () => {
    if (node === null || quitting) return;
    if (window === null || window.isDestroyed()) window = parts.openWindow(node);
    if (window.isMinimized()) window.restore();
    window.focus();
  };
  app.on('second-instance', show);
  app.on('activate', show);
  app.on('window-all-closed', () => app.quit());
  app.on('before-quit', (event) => {
    if (node === null) return;
    event.preventDefault();
    if (quitting) return;
    quitting = true;
    node.stop().then(
      () => app.exit(0),
      (error: unknown) => {
        parts.dialog.showErrorBox('Ace Node did not stop cleanly', explain(error));
        app.exit(1);
      },
    );
  });

  await app.whenReady();
  try {
    node = await parts.startNode();
  } catch (error) {
    parts.dialog.showErrorBox('Ace Node cannot start', explain(error));
    return app.exit(1);
  }
  show();
}

function explain(error: unknown): string {
  return isAceError(error)
    ? error.message
    : 'Something unexpected happened. The log in the data folder says more.';
}
