import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findWindow } from '../../../../main/app/find-window.ts';
import { ensureWindow } from '../../../../main/launcher/window.mjs';
import { tempDir } from '../../../helpers/temp-dir.ts';

const SUCCEEDS = `fs.mkdirSync('dist'); fs.writeFileSync('dist/electron', ''); fs.writeFileSync('path.txt', 'electron');`;
const FAILS = 'process.exit(1);';
const HANGS = 'setInterval(() => {}, 1000);';
const DISPLAY = { DISPLAY: ':0' };

/** An electron package whose install script does this, and says that it ran. */
function standIn(script: string, version = '45.0.0') {
  const dir = tempDir();
  const packageDir = join(dir, 'electron');
  mkdirSync(packageDir);
  const give = (newScript: string, newVersion: string) => {
    const counting = "const fs = require('node:fs'); fs.appendFileSync('runs', 'x');";
    writeFileSync(join(packageDir, 'install.js'), `${counting} ${newScript}`);
    writeFileSync(join(packageDir, 'package.json'), JSON.stringify({ version: newVersion }));
  };
  give(script, version);
  const said: string[] = [];
  const runsFile = join(packageDir, 'runs');
  return {
    packageDir,
    give,
    said,
    runs: () => (existsSync(runsFile) ? readFileSync(runsFile, 'utf8').length : 0),
    start: (args: readonly string[] = ['start'], changes: Parameters<typeof ensureWindow>[1] = {}) =>
      ensureWindow(args, {
        env: DISPLAY,
        platform: 'linux',
        isRoot: false,
        packageDir,
        stampFile: join(dir, 'cache', 'electron-not-fetched'),
        print: (line) => said.push(line),
        ...changes,
      }),
  };
}

describe('ensureWindow', () => {
  it('fetches the binary with one line of progress, and only once', async () => {
    const electron = standIn(SUCCEEDS);
    await electron.start();
    await electron.start();
    expect(electron.runs()).toBe(1);
    expect(electron.said).toEqual(['Fetching Electron for the window (once)…']);
    expect(findWindow(DISPLAY, 'linux', false, electron.packageDir)).toEqual({
      binary: join(electron.packageDir, 'dist', 'electron'),
    });
  });

  it('remembers a failure, and tries again with another version of Electron', async () => {
    const electron = standIn(FAILS);
    await electron.start();
    await electron.start();
    expect(electron.runs()).toBe(1);
    electron.give(SUCCEEDS, '45.0.1');
    await electron.start();
    await electron.start();
    expect(electron.runs()).toBe(2);
    expect(electron.said).toHaveLength(2);
  });

  it('gives up a fetch that takes too long, and remembers that as well', async () => {
    const electron = standIn(HANGS);
    await electron.start(['start'], { timeoutMs: 300 });
    await electron.start(['start'], { timeoutMs: 300 });
    // Told before each; a process that is ended early may not have come so far that it counts itself.
    expect(electron.said.filter((line) => line.startsWith('Fetching'))).toHaveLength(1);
  });

  it('ends the start when a signal stops the fetch, and does not count that as a failure', async () => {
    const electron = standIn("process.kill(process.pid, 'SIGINT'); setInterval(() => {}, 1000);");
    await expect(electron.start()).rejects.toThrow('was stopped (SIGINT)');
    electron.give(SUCCEEDS, '45.0.0');
    await electron.start();
    expect(electron.runs()).toBe(2);
  });

  it.each<[string, readonly string[], Parameters<typeof ensureWindow>[1]]>([
    ['for another command', ['status'], {}],
    ['for a start without a window', ['start', '--headless'], {}],
    ['for the help', ['start', '--help'], {}],
    ['without a display', ['start'], { env: {} }],
    ['as root', ['start'], { isRoot: true }],
    ['where the binary is elsewhere', ['start'], { env: { ...DISPLAY, ELECTRON_OVERRIDE_DIST_PATH: '/e' } }],
  ])('tries nothing %s', async (_what, args, changes) => {
    const electron = standIn(SUCCEEDS);
    await electron.start(args, changes);
    expect(electron.runs()).toBe(0);
    expect(electron.said).toEqual([]);
  });

  it.each(['darwin', 'win32'] as const)('needs no display variable on %s', async (platform) => {
    const electron = standIn(SUCCEEDS);
    await electron.start(['start'], { env: {}, platform });
    expect(electron.runs()).toBe(1);
  });
});
