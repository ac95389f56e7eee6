// Electron's binary, which npm does not bring along: fetched once, where a window can be opened at all.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runChild } from './child.mjs';
import { withSetupLock } from './lock.mjs';
import { cacheDir, nodeBinary, rootDir } from './paths.mjs';
import { SetupError } from './setup-error.mjs';

const FETCH_TIMEOUT_MS = 120_000;

/**
 * @typedef {object} WindowSetup
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {NodeJS.Platform} platform
 * @property {boolean} isRoot
 * @property {string} packageDir the electron package
 * @property {string} stampFile version of Electron whose binary could not be fetched
 * @property {number} timeoutMs
 * @property {(line: string) => void} print
 */

/**
 * Fetches Electron's binary before a start that wants a window. A failure is remembered until another version of
 * Electron is installed, so that a machine without the network waits for it once only; the start itself then reports what
 * is missing and goes on without a window.
 *
 * @param {readonly string[]} args of the command line
 * @param {Partial<WindowSetup>} [setup]
 * @throws {SetupError} when a signal stopped it: the start is not wanted any more
 */
export async function ensureWindow(args, setup = {}) {
  const whole = { ...defaultSetup(), ...setup };
  if (!wantsWindow(args) || !canOpenWindow(whole) || !isWorthATry(whole)) return;
  await withSetupLock(
    async () => {
      if (isWorthATry(whole)) await fetchBinary(whole); // unless the process that held the lock before us did
    },
    () => whole.print('Waiting for another set-up of this checkout to finish…'),
  );
}

/** @returns {WindowSetup} */
function defaultSetup() {
  return {
    env: process.env,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    packageDir: join(rootDir, 'node_modules', 'electron'),
    stampFile: join(cacheDir, 'electron-not-fetched'),
    timeoutMs: FETCH_TIMEOUT_MS,
    print: (line) => process.stderr.write(`${line}\n`),
  };
}

/** @param {readonly string[]} args */
function wantsWindow([command, ...options]) {
  return command === 'start' && !options.some((each) => ['--headless', '--help', '-h'].includes(each));
}

/** The rules of main/app/find-window.ts, which decides later. @param {WindowSetup} setup */
function canOpenWindow({ env, platform, isRoot }) {
  if (isRoot || env.ELECTRON_OVERRIDE_DIST_PATH) return false;
  return platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/** @param {WindowSetup} setup */
function isWorthATry({ packageDir, stampFile }) {
  if (!existsSync(join(packageDir, 'install.js')) || hasBinary(packageDir)) return false;
  return !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== versionOf(packageDir);
}

/** @param {string} packageDir */
function hasBinary(packageDir) {
  const pathFile = join(packageDir, 'path.txt');
  return existsSync(pathFile) && existsSync(join(packageDir, 'dist', readFileSync(pathFile, 'utf8').trim()));
}

/** @param {string} packageDir @returns {string} */
function versionOf(packageDir) {
  return JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')).version;
}

/** @param {WindowSetup} setup */
async function fetchBinary({ packageDir, stampFile, timeoutMs, print }) {
  print('Fetching Electron for the window (once)…');
  const { signal } = await runChild(nodeBinary, [join(packageDir, 'install.js')], {
    stdio: 'collect',
    cwd: packageDir,
    timeout: timeoutMs,
    killSignal: 'SIGKILL', // no signal that a user sends, so that the two differ
  });
  if (hasBinary(packageDir)) {
    rmSync(stampFile, { force: true });
    return;
  }
  if (signal !== null && signal !== 'SIGKILL')
    throw new SetupError(`fetching Electron was stopped (${signal})`);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, versionOf(packageDir));
}
