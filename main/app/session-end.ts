/**
 * The end of the session on Windows. It is told to windows only, and once it has come the process is gone at once: what puts
 * it off is a window that says so when it is asked before. So one is always there, also while none is to be seen.
 */
import type { BrowserWindow } from 'electron';
import type { WindowConstructor } from './window.ts';

/** `null` on other systems. */
export function keepSessionWindow(
  Window: WindowConstructor,
  platform: NodeJS.Platform,
  stop: () => boolean,
): BrowserWindow | null {
  if (platform !== 'win32') return null;
  // It loads nothing: it is there to be asked.
  const window = new Window({
    show: false,
    skipTaskbar: true,
    focusable: false,
    webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false },
  });
  putOffSessionEnd(window, stop);
  // No user can close it: an installer or the system asks the program to end (WM_CLOSE, as taskkill sends it to each window). It stays
  // until the node has closed, for the session may end before.
  window.on('close', (event) => {
    if (stop()) event.preventDefault();
  });
  return window;
}

/** Windows shows the user what it waits for, and goes on when the process has ended. */
export function putOffSessionEnd(window: BrowserWindow, stop: () => unknown): void {
  window.on('query-session-end', (event) => {
    event.preventDefault();
    stop();
  });
}
