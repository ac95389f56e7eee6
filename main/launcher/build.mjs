// The build of a checkout: out/ made from the sources as they are now, or built now.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runChild } from './child.mjs';
import { withSetupLock } from './lock.mjs';
import { nodeBinary, rootDir } from './paths.mjs';
import { SetupError } from './setup-error.mjs';

const INPUTS = ['main', 'renderer', 'shared', 'electron.vite.config.ts', 'package.json', 'package-lock.json'];
/** What runs as it is and is not built, and what the build itself writes among the sources. */
const NOT_BUILT = new Set(
  [
    ['main', 'launcher'],
    ['shared', 'i18n', 'compiled'],
    ['shared', 'i18n', 'project.inlang'],
  ].map((path) => join(rootDir, ...path)),
);

const outDir = join(rootDir, 'out');
const stampFile = join(outDir, '.build-stamp');
const builder = join(rootDir, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');

/** What a checkout runs once it is built. */
export const cliFile = join(outDir, 'main', 'cli.js');

/**
 * Builds out/ if any source changed since the last build. Dependencies must be installed.
 *
 * @param {{ quiet?: boolean }} [options] quiet: no progress line on stderr
 * @throws {SetupError} with the output of the build
 */
export async function ensureBuilt({ quiet = false } = {}) {
  if (isBuilt()) return;
  const print = quiet ? () => {} : (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  await withSetupLock(
    async () => {
      if (isBuilt()) return; // by the process that held the lock before us
      print('Building…');
      // Taken before the build: a file saved while it runs makes the next start build again.
      const hash = inputsHash();
      rmSync(stampFile, { force: true });
      const { code, signal, output } = await runChild(nodeBinary, [builder, 'build'], {
        stdio: 'collect',
        cwd: rootDir,
      });
      if (code !== 0) throw new SetupError(`the build failed (${signal ?? `exit code ${code}`})`, { output });
      mkdirSync(outDir, { recursive: true });
      writeFileSync(stampFile, hash);
    },
    () => print('Waiting for another set-up of this checkout to finish…'),
  );
}

function isBuilt() {
  return existsSync(stampFile) && existsSync(cliFile) && readFileSync(stampFile, 'utf8') === inputsHash();
}

/** Hash of path, time and size of every input: reading the contents would cost more on each start. */
function inputsHash() {
  const hash = createHash('sha256');
  for (const input of INPUTS) addToHash(join(rootDir, input), hash);
  return hash.digest('hex');
}

/** @param {string} path @param {import('node:crypto').Hash} hash */
function addToHash(path, hash) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || NOT_BUILT.has(path)) return;
  if (stats.isDirectory()) {
    for (const name of readdirSync(path).sort()) addToHash(join(path, name), hash);
  } else {
    hash.update(`${relative(rootDir, path)}\0${stats.mtimeMs}\0${stats.size}\n`);
  }
}
