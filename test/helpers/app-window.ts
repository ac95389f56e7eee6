/**
 * The window that end-to-end tests look through: a browser on a headless node, or, in the test project `electron`, the
 * desktop window itself. A test that opens its page here runs in both.
 */
import { join } from 'node:path';
import { _electron } from 'playwright-core';
import type { TestContext } from 'vitest';
import { findWindow } from '../../main/app/find-window.ts';
import { browserPath, collectTroubles, ROOT } from './browser.ts';
import { giveWallet } from './electron-double/app.ts';
import type { Stage, WatchedPage } from './pages.ts';

const inElectron = process.env.ACE_TEST_WINDOW === 'electron';

/** Why no window can be opened here; `null` where one can. */
const noWindow: string | null = inElectron ? noElectron() : browserPath === null ? 'No browser' : null;

/** For `beforeEach`: without a window a story is skipped, never passed, and the report says why. */
export function skipWithoutWindow({ skip }: Pick<TestContext, 'skip'>): void {
  if (noWindow !== null) skip(noWindow);
}

/** A node of its own on an empty folder, with its pages open. */
export async function openApp(stage: Stage): Promise<WatchedPage> {
  if (inElectron) return openElectron(stage);
  const { address } = await stage.start(stage.temporaryDir());
  return stage.page(address);
}

async function openElectron(stage: Stage): Promise<WatchedPage> {
  const found = findWindow(process.env, process.platform, process.getuid?.() === 0);
  if ('why' in found) throw new Error(found.why);
  const home = stage.temporaryDir();
  // The window would ask for a wallet first; a headless node makes one by itself.
  await giveWallet(home);
  const config = {
    dataDir: join(home, 'data'),
    resourcesDir: join(ROOT, 'resources'),
    pagesDir: join(ROOT, 'out/renderer'),
    httpPort: 0,
  };
  const app = await _electron.launch({
    executablePath: found.binary,
    args: [join(ROOT, 'out/main/electron.js')],
    env: { ...definedEnv(), ACE_NODE_CONFIG: JSON.stringify(config) },
  });
  stage.onClose(() => app.close());
  const page = await app.firstWindow();
  return { page, troubles: collectTroubles(page) };
}

function noElectron(): string | null {
  const found = findWindow(process.env, process.platform, process.getuid?.() === 0);
  return 'why' in found ? found.why : null;
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
  );
}
