// Dependencies of a checkout: present and the ones package-lock.json names, or installed now.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runChild } from './child.mjs';
import { withSetupLock } from './lock.mjs';
import { nodeBinary, rootDir } from './paths.mjs';
import { SetupError } from './setup-error.mjs';

const modulesDir = join(rootDir, 'node_modules');
const lockFile = join(rootDir, 'package-lock.json');
/** npm's own record of what it has put into node_modules, written when an install ends well. */
const installedFile = join(modulesDir, '.package-lock.json');
/** SHA-256 of the package-lock.json that node_modules was last seen to match. */
const stampFile = join(modulesDir, '.ace-lock-hash');

/**
 * Makes node_modules match package-lock.json. Costs a few milliseconds when it does already.
 *
 * @param {{ quiet?: boolean }} [options] quiet: no progress line on stderr
 * @throws {SetupError}
 */
export async function ensureInstalled({ quiet = false } = {}) {
  if (isInstalled()) return;
  refuseLink();
  const print = quiet ? () => {} : (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  await withSetupLock(
    async () => {
      if (isInstalled()) return; // by the process that held the lock before us
      if (!matchesByHand()) {
        print('Installing dependencies (first run)…');
        await npmInstall();
      }
      writeFileSync(stampFile, lockHash());
    },
    () => print('Waiting for another set-up of this checkout to finish…'),
  );
}

/** What a link leads to belongs to another checkout: an install would change that one. */
function refuseLink() {
  if (!lstatSync(modulesDir, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new SetupError(
    'node_modules is a link and holds other versions than package-lock.json names: remove the link, and start again',
  );
}

function isInstalled() {
  return existsSync(nodeBinary) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockHash();
}

function lockHash() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}

/**
 * Whether someone ran `npm install` themselves: then npm's record already names the same versions, and a
 * new install would only take time. What npm leaves out for this platform is optional.
 */
function matchesByHand() {
  if (!existsSync(nodeBinary) || !existsSync(installedFile)) return false;
  const wanted = readPackages(lockFile);
  const installed = readPackages(installedFile);
  const complete = Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] ? installed[path].version === version : optional),
  );
  return complete && Object.keys(installed).every((path) => path in wanted);
}

/** @param {string} file @returns {Record<string, { version?: string, optional?: boolean }>} by path in the tree */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/**
 * `npm install --no-save`, not `npm ci`: it takes the versions of package-lock.json just as exactly and leaves
 * the file alone, but bears a lock file without the entries of other platforms' optional binaries (npm writes
 * such a file where a registry does not carry them all, and `npm ci` refuses it everywhere).
 */
async function npmInstall() {
  rmSync(stampFile, { force: true });
  const args = ['install', '--no-save', '--include=dev', '--loglevel=error', '--no-fund', '--no-audit'];
  const { code, signal, output } = await runChild('npm', args, {
    stdio: 'collect',
    cwd: rootDir,
    env: { ...process.env, PATH: pathWithoutModules() },
    shell: process.platform === 'win32', // npm is npm.cmd there
  }).catch((cause) => {
    throw new SetupError('cannot run npm: install npm 11 and try again', { cause });
  });
  if (code !== 0) {
    const how = signal ?? `exit code ${code}`;
    const message = `installing the dependencies failed (npm: ${how}); check the network and try again`;
    throw new SetupError(message, { output });
  }
  if (!existsSync(nodeBinary)) {
    const message = 'npm left out the "node" package: npm must be 11 or newer and may run its install script';
    throw new SetupError(message, { output });
  }
}

/** PATH without our own node_modules/.bin: npm must not run on the very Node binary it is about to replace. */
function pathWithoutModules() {
  const ownBin = join(modulesDir, '.bin');
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => dir !== ownBin)
    .join(delimiter);
}
