/** The desktop shell: hands Electron's parts to main/app and starts the node in this process. */
import './heap.ts';
import './no-dumps.ts';
import { dirname, join } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, protocol, safeStorage, session, shell } from 'electron';
import { shellConfig } from './app/config.ts';
import { runApp } from './app/lifecycle.ts';
import { PAGES_ORIGIN, registerPagesScheme, servePages } from './app/pages-scheme.ts';
import { electronSecretStore } from './app/secret-store.ts';
import { openWindow, secureContents, secureSession } from './app/window.ts';
import { startNode } from './node.ts';
import { createFeedHub } from './rpc/feed.ts';
import { attachIpc } from './rpc/ipc.ts';
import { createProcedures } from './rpc/procedures.ts';

const config = shellConfig(process.env, {
  userDataDir: app.getPath('userData'),
  appDir: app.getAppPath(),
  resourcesDir: app.isPackaged ? process.resourcesPath : join(app.getAppPath(), 'resources'),
});
// Read once: neither a child process nor a report of a crash gets it from here.
delete process.env.ACE_NODE_PASSPHRASE;
// Electron's own files apart from the node's, and one instance per data directory.
app.setPath('userData', join(config.dataDir, 'window'));

registerPagesScheme(protocol);
app.enableSandbox();
app.on('web-contents-created', (_event, contents) => secureContents(contents, shell));

await runApp({
  app,
  dialog,
  startNode: async () => {
    const node = await startNode({
      ...config,
      // The window asks: for a wallet on a first start, for its passphrase where the system does not keep it.
      wallet: { firstRun: true, mayWait: true },
      secretStore: electronSecretStore(safeStorage, join(config.dataDir, 'passphrase.sealed')),
    });
    servePages(protocol, config.pagesDir);
    secureSession(session.defaultSession, node.http);
    const ipc = attachIpc({
      ipcMain,
      procedures: createProcedures(node.service),
      feed: createFeedHub(node.service),
      origin: PAGES_ORIGIN,
    });
    void node.stopped.then(() => app.quit());
    return { ipc, stop: () => node.stop() };
  },
  openWindow: (node) => {
    const window = openWindow(BrowserWindow, join(dirname(config.pagesDir), 'preload', 'index.cjs'));
    node.ipc.addWindow(window.webContents);
    return window;
  },
});
