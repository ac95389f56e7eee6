import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findWindow } from '../../../../main/app/find-window.ts';

const display = { DISPLAY: ':0' };
let packageDir: string;
let binary: string;

beforeAll(() => {
  packageDir = mkdtempSync(join(tmpdir(), 'ace-electron-'));
  binary = join(packageDir, 'dist', 'electron');
  mkdirSync(join(packageDir, 'dist'));
  writeFileSync(join(packageDir, 'path.txt'), 'electron\n');
  writeFileSync(binary, '');
});
afterAll(() => rmSync(packageDir, { recursive: true, force: true }));

describe('findWindow', () => {
  it('finds the binary that was downloaded', () => {
    expect(findWindow(display, 'linux', false, packageDir)).toEqual({ binary });
    expect(findWindow({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', false, packageDir)).toEqual({ binary });
  });

  it('needs a display and another user than root on Linux only', () => {
    expect(findWindow({}, 'linux', false, packageDir)).toEqual({ why: 'No display' });
    expect(findWindow(display, 'linux', true, packageDir)).toEqual({ why: 'Electron does not run as root' });
    expect(findWindow({}, 'darwin', false, packageDir)).toEqual({ binary });
    expect(findWindow({}, 'win32', false, packageDir)).toEqual({ binary });
  });

  it('says that there is no binary and how to fetch it, without doing so', () => {
    const fetchIt = { why: expect.stringContaining('node node_modules/electron/install.js') };
    const empty = mkdtempSync(join(tmpdir(), 'ace-electron-'));
    expect(findWindow(display, 'linux', false, empty)).toEqual(fetchIt);
    writeFileSync(join(empty, 'path.txt'), 'electron');
    expect(findWindow(display, 'linux', false, empty)).toEqual(fetchIt);
    expect(findWindow(display, 'linux', false, null)).toEqual({ why: 'No Electron' });
    rmSync(empty, { recursive: true });
  });

  it('names what cannot be helped before the binary that would not help', () => {
    const empty = mkdtempSync(join(tmpdir(), 'ace-electron-'));
    expect(findWindow({}, 'linux', false, empty)).toEqual({ why: 'No display' });
    expect(findWindow(display, 'linux', true, empty)).toEqual({ why: 'Electron does not run as root' });
    rmSync(empty, { recursive: true });
  });

  it('takes a binary from ELECTRON_OVERRIDE_DIST_PATH', () => {
    const env = { ...display, ELECTRON_OVERRIDE_DIST_PATH: join(packageDir, 'dist') };
    expect(findWindow(env, 'linux', false, packageDir)).toEqual({ binary });
  });
});
