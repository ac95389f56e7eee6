/** The desktop shell: everything that Electron must be given before it is ready, then main/app. */
import './process/heap.ts';
import './process/no-dumps.ts';
import { join } from 'node:path';
import * as electron from 'electron';
import { shellConfig } from './app/config.ts';
import { runDesktop } from './app/desktop.ts';
import { registerPagesScheme } from './app/pages-scheme.ts';
import { secureContents } from './app/window.ts';
import { defaultDataDir } from './data-dir/config.ts';
import { DataDir } from './data-dir/data-dir.ts';
import { makeFolder } from './db/make-folder.ts';

const { app, protocol, shell } = electron;

const config = shellConfig(process.env, {
  dataDir: defaultDataDir(),
  appDir: app.getAppPath(),
  resourcesDir: app.isPackaged ? process.resourcesPath : join(app.getAppPath(), 'resources'),
});
// Read once: neither a child process nor a report of a crash gets it from here.
delete process.env.ACE_NODE_PASSPHRASE;
// Electron's own files apart from the node's, and one instance per data directory. Electron takes no folder that is not
// there; where none can be made, the node cannot start either and says why.
const stateDir = new DataDir(config.dataDir).windowState;
if (canMakeFolder(stateDir)) app.setPath('userData', stateDir);

registerPagesScheme(protocol);
app.enableSandbox();
const onNotOpened = (error: unknown) =>
  process.stderr.write(`ace-node: a link could not be opened in the browser: ${String(error)}\n`);
app.on('web-contents-created', (_event, contents) => secureContents(contents, shell, onNotOpened));

// Not awaited: Electron gets ready only once this module has been evaluated.
void runDesktop(electron, config);

function canMakeFolder(path: string): boolean {
  try {
    makeFolder(path);
    return true;
  } catch {
    return false;
  }
}
