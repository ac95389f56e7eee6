/**
 * What stands in for the `electron` module when the built main bundle runs on plain Node. It keeps the rules that the
 * bundle could break (what must happen before the app is ready, and what only after), writes down what it was told,
 * and lets the test that started the process look and act: a message `{ id, code }` runs `code` with everything here.
 * Where it behaves as the real module does in a way that surprises, the file of Electron's sources that says so is named;
 * docs/electron.md lists what it cannot show.
 */
import * as self from './electron.ts';
import { plain } from './state.ts';

export { app, becomeReady } from './app-module.ts';
export {
  dialog,
  Menu,
  Notification,
  nativeImage,
  nativeTheme,
  powerMonitor,
  screen,
  shell,
  Tray,
} from './desktop.ts';
export { ipcMain, protocol, session } from './pages.ts';
export { safeStorage } from './safe-storage.ts';
export { calls, preventable } from './state.ts';
export { BrowserWindow, endSession } from './windows.ts';

process.on('message', ({ id, code }: { id: number; code: string }) => {
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (e: unknown) => Promise<unknown>;
  new AsyncFunction('electron', code)(self).then(
    (value) => process.send?.({ id, value: plain(value) }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(1));
