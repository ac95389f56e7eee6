// `npm test`: what every change has to pass, from a clean clone with one command; `npm run test:all` adds the long tier.
// Installs and builds what is missing, then runs the linter and the type checks side by side, then the tests, stopping at
// the first that fails. The last line on stdout is always `N passed, N failed` or `N passed, N failed, N skipped`.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ensureBuilt } from '../main/launcher/build.mjs';
import { runChild } from '../main/launcher/child.mjs';
import { ensureInstalled } from '../main/launcher/install.mjs';
import { nodeBinary, rootDir } from '../main/launcher/paths.mjs';
import { printSetupError, SetupError } from '../main/launcher/setup-error.mjs';

/**
 * @typedef {object} Totals
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/** What counts for a step that is no test: it is one failure, named above the last line. */
const ONE_FAILURE = { passed: 0, failed: 1, skipped: 0 };

const APT_GET = '/usr/bin/apt-get';

/** Of a test in a file whose others are quick; whole files say it by their name (vitest.config.ts). */
const LONG_TAG = 'long';

/** Linux's memory disk: the tests' databases flush at each commit, and nothing of them has to outlive the machine. */
const MEMORY_DISK = '/dev/shm';
const MEMORY_DISK_FREE_BYTES = 4 * 2 ** 30;

const args = process.argv.slice(2);
const isAll = args.includes('--all');
const vitestArgs = args.filter((arg) => arg !== '--all');
const totals = await runAll(vitestArgs).catch((error) => {
  printSetupError(error);
  return ONE_FAILURE;
});
process.exitCode = totals.failed === 0 ? 0 : 1;
const tierNote = isAll ? '' : 'The long tier was not run: npm run test:all runs everything.\n';
process.stdout.write(`\n${tierNote}${formatTotals(totals)}\n`);

/**
 * @param {string[]} vitestArgs
 * @returns {Promise<Totals>}
 */
async function runAll(vitestArgs) {
  await ensureInstalled();
  // The Node that the tests start by name, and the one npm scripts get, is the project's own.
  process.env.PATH = [dirname(nodeBinary), process.env.PATH].join(delimiter);
  // Hundreds of processes load the same modules: each is compiled once.
  process.env.NODE_COMPILE_CACHE ??= join(rootDir, '.cache', 'compiled');
  await ensureTools();
  await ensureBuilt();
  await check('i18n'); // the sources of the pages import what it writes
  // To their end, also when one fails: nothing is printed after the last line.
  const checks = await Promise.allSettled([check('lint'), check('types'), check('types:pages')]);
  for (const checked of checks) if (checked.status === 'rejected') throw checked.reason;
  return runVitest(vitestArgs);
}

/**
 * Runs one npm script that checks the sources; its output is shown only when it fails.
 *
 * @param {string} script
 * @throws {SetupError}
 */
async function check(script) {
  const startedAtMs = performance.now();
  const { code, output } = await runChild('npm', ['run', '--silent', script], {
    stdio: 'collect',
    cwd: rootDir,
    shell: process.platform === 'win32', // npm is npm.cmd there
  });
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  process.stdout.write(`${script} ${code === 0 ? 'ok' : 'failed'} (${seconds} s)\n`);
  if (code !== 0) throw new SetupError(`${script} failed`, { output });
}

/**
 * @param {string[]} args
 * @returns {Promise<Totals>}
 */
async function runVitest(args) {
  const ownDir = mkdtempSync(join(temporaryPlace(), 'ace-node-test-'));
  const reportFile = join(ownDir, 'report.json');
  const tmp = join(ownDir, 'tmp');
  mkdirSync(tmp);
  // Tests that become another user find their folders in it.
  for (const dir of [ownDir, tmp]) chmodSync(dir, 0o711);
  try {
    const vitest = join(rootDir, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const tier = isAll ? [] : [`--tags-filter=!${LONG_TAG}`];
    const { code } = await runChild(nodeBinary, [vitest, 'run', ...reporters, ...tier, ...args], {
      stdio: 'inherit',
      cwd: rootDir,
      // TMPDIR: where the tests, and what they start, make their folders.
      env: { ...process.env, TMPDIR: tmp, ...(!isAll && { ACE_TESTS: 'quick' }) },
    });
    if (!existsSync(reportFile)) {
      process.stdout.write('vitest ended without a report\n');
      return ONE_FAILURE;
    }
    return readTotals(JSON.parse(readFileSync(reportFile, 'utf8')), code);
  } finally {
    rmSync(ownDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The memory disk when there is one with room, or else the system's own place. */
function temporaryPlace() {
  if (process.platform !== 'linux' || !existsSync(MEMORY_DISK)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY_DISK);
  return bavail * bsize >= MEMORY_DISK_FREE_BYTES ? MEMORY_DISK : tmpdir();
}

/**
 * What is read of vitest's report.
 *
 * @typedef {object} Report
 * @property {{ name: string, status: string, assertionResults: { status: string, tags: string[] }[] }[]} testResults
 */

/**
 * @param {Report} report
 * @param {number | null} code exit code of vitest
 * @returns {Totals}
 */
function readTotals(report, code) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    for (const { status, tags } of file.assertionResults) {
      if (!isAll && tags.includes(LONG_TAG)) continue; // of the other tier
      if (status === 'passed' || status === 'failed') count[status] += 1;
      else count.skipped += 1; // skipped, pending, todo, disabled
    }
    // A file that does not even load has no tests in the report.
    if (file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'))
      count.failed += 1;
  }
  if (count.failed === 0 && count.passed === 0) {
    process.stdout.write('no test was executed\n');
    count.failed = 1;
  }
  if (count.failed === 0 && code !== 0) {
    process.stdout.write('vitest reports an error outside of the tests\n');
    count.failed = 1;
  }
  return count;
}

/** @param {Totals} totals */
function formatTotals({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Programs that only tests need. Installed by apt when that is possible without a question; otherwise the
 * user is told the command, and the tests that need them skip themselves.
 */
async function ensureTools() {
  const missing = missingTools();
  if (missing.length > 0 && canApt()) {
    process.stderr.write(`Installing ${missing.join(' and ')} for the tests…\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // One by one: a package that this system does not have keeps none of the others away.
    const installs = missing.map((name) => ['-qq', 'install', '-y', '--no-install-recommends', name]);
    for (const args of [['-qq', 'update'], ...installs]) {
      const { code, output } = await runChild(APT_GET, args, { stdio: 'collect', env });
      if (code !== 0) process.stderr.write(output);
    }
  }
  const still = missingTools();
  if (still.length > 0) {
    const command = existsSync(APT_GET)
      ? `sudo apt-get install -y ${still.join(' ')}`
      : 'your package manager';
    process.stderr.write(
      `${still.join(' and ')} not found: tests that need it are skipped. To install: ${command}\n`,
    );
  }
  const chromium = findChromium();
  // The tests look nowhere else.
  if (chromium === undefined) delete process.env.CHROME_PATH;
  else process.env.CHROME_PATH = chromium;
}

/** @returns {string[]} Debian packages */
function missingTools() {
  const packages = [];
  if (findChromium() === undefined) packages.push('chromium');
  if (findProgram('ffmpeg') === undefined || findProgram('ffprobe') === undefined) packages.push('ffmpeg');
  if (findProgram('mpv') === undefined) packages.push('mpv');
  for (const name of ['hledger', 'ledger']) if (findProgram(name) === undefined) packages.push(name);
  if (findProgram('bean-check') === undefined || findProgram('bean-query') === undefined)
    packages.push('beancount');
  return packages;
}

function findChromium() {
  const named = process.env.CHROME_PATH;
  if (named !== undefined && existsSync(named)) return named;
  return ['chromium', 'chromium-browser', 'google-chrome']
    .map(findProgram)
    .find((path) => path !== undefined);
}

/** @param {string} name */
function findProgram(name) {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, name + suffix))
    .find((path) => existsSync(path));
}

function canApt() {
  return process.getuid?.() === 0 && existsSync(APT_GET);
}
