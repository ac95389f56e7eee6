/**
 * Whether this machine can open the window. It never triggers Electron's download, which `require('electron')` would:
 * it only looks whether the binary is there already. The launcher of a checkout has tried to fetch it before.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { variable } from '../util/environment.ts';

export type FoundWindow = { readonly binary: string } | { readonly why: string };

const NO_BINARY =
  'The window needs Electron’s binary, which could not be fetched (node node_modules/electron/install.js tries again)';

/** The Electron binary to use, or in a few words why there can be no window. */
export function findWindow(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  isRoot: boolean,
  packageDir: string | null = electronPackageDir(),
): FoundWindow {
  if (platform === 'linux') {
    if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return { why: 'No display' };
    // Chromium's sandbox, which the window relies on, refuses to start for root.
    if (isRoot) return { why: 'Electron does not run as root' };
  }
  if (packageDir === null) return { why: 'No Electron' };
  const binary = electronBinary(packageDir, env);
  return binary === null ? { why: NO_BINARY } : { binary };
}

function electronPackageDir(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  } catch {
    return null;
  }
}

function electronBinary(
  packageDir: string,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const pathFile = join(packageDir, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : null;
  const distDir = variable(env, 'ELECTRON_OVERRIDE_DIST_PATH');
  const binary = distDir
    ? join(distDir, name ?? 'electron')
    : name === null
      ? null
      : join(packageDir, 'dist', name);
  return binary !== null && existsSync(binary) ? binary : null;
}
