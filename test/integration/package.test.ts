/**
 * What people install: made offline by electron-builder with a stand-in for Electron's own files. The list holds what
 * is needed and nothing else, the switches in the binary are set, and the node starts from what was packaged.
 */
import { execFile, spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINK_SCHEMES } from '../../main/app/deep-link.ts';
import { connect } from '../../main/rpc/ws-client.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { DoubleApp, endAll, ROOT } from '../helpers/electron-double/app.ts';
import { waitFor } from '../helpers/wait.ts';

const require = createRequire(import.meta.url);
const asar = require('@electron/asar') as {
  listPackage(archive: string, options: { isPack: boolean }): string[];
  extractAll(archive: string, to: string): void;
  statFile(archive: string, path: string): { unpacked?: boolean };
};

/** Where Electron's binary has its switches: this text, a version, their number, then one character for each. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** As electron-builder.yml must have them, in the order of the binary. */
const FUSES = {
  runAsNode: '0',
  enableCookieEncryption: '0',
  enableNodeOptionsEnvironmentVariable: '0',
  enableNodeCliInspectArguments: '0',
  enableEmbeddedAsarIntegrityValidation: '1',
  onlyLoadAppFromAsar: '1',
  loadBrowserProcessSpecificV8Snapshot: '0',
  grantFileProtocolExtraPrivileges: '0',
};
/** Production packages that are left out on purpose: types, headers, and what is bundled into the pages. */
const LEFT_OUT = /^(?:@types\/.+|node-addon-api)$/;

interface Lock {
  readonly packages: Record<
    string,
    { dev?: boolean; optional?: boolean; devOptional?: boolean; peer?: boolean }
  >;
}

/** Seconds, unless the machine is busy with something else. */
const PACKAGING_TIMEOUT_MS = 240_000;
const isLinked = lstatSync(join(ROOT, 'node_modules')).isSymbolicLink();
const target = `${process.platform}-${process.arch}`;

// electron-builder does not follow a linked node_modules, which no clone has.
describe.skipIf(isLinked || process.platform !== 'linux')('the desktop package', { tags: 'long' }, () => {
  let dir: string;
  let resources: string;
  let archive: string;
  /** Paths in the archive, without the folders. */
  let files: string[];
  let extracted: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ace-package-'));
    const dist = join(dir, 'electron');
    mkdirSync(dist);
    // All switches the other way round than they should be.
    const wrong = Object.values(FUSES).map((fuse) => (fuse === '1' ? '0' : '1'));
    const wire = [...Buffer.from(SENTINEL), 1, wrong.length, ...Buffer.from(wrong.join(''))];
    writeFileSync(join(dist, 'electron'), Buffer.from(wire), { mode: 0o755 });
    await promisify(execFile)(
      process.execPath,
      [
        join(ROOT, 'node_modules/electron-builder/cli.js'),
        ...['--linux', 'dir', '--publish', 'never'],
        ...[`-c.electronDist=${dist}`, `-c.directories.output=${join(dir, 'out')}`],
      ],
      { cwd: ROOT, maxBuffer: 64 * 1_048_576 },
    );
    resources = join(
      dir,
      'out',
      readdirSync(join(dir, 'out')).find((name) => name.endsWith('-unpacked')) ?? '',
      'resources',
    );
    archive = join(resources, 'app.asar');
    extracted = join(dir, 'extracted');
    asar.extractAll(archive, extracted);
    files = asar
      .listPackage(archive, { isPack: false })
      .map((path) => path.slice(1).replaceAll('\\', '/'))
      .filter((path) => lstatSync(join(extracted, path)).isFile());
  }, PACKAGING_TIMEOUT_MS);
  afterAll(async () => {
    await endAll();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  it('holds the built app, its production dependencies, and nothing else', () => {
    expect(new Set(files.map((path) => path.split('/')[0]))).toEqual(
      new Set(['LICENSE', 'package.json', 'out', 'node_modules']),
    );
    expect(
      new Set(files.filter((path) => path.startsWith('out/')).map((path) => path.split('/')[1])),
    ).toEqual(new Set(['main', 'preload', 'renderer']));
    for (const path of [
      'out/main/electron.js',
      'out/main/verify-worker.js',
      'out/main/media-worker.js',
      'out/preload/index.cjs',
      'out/renderer/index.html',
    ])
      expect(files).toContain(path);
  });

  it('holds no sources, maps, types, tests, notes or tools of ours or of others', () => {
    const kinds = new Set(
      files
        .filter((path) => !/(?:^|\/)licen[cs]e(?:\.(?:md|txt))?$|(?:^|\/)notice/i.test(path))
        .map((path) => path.split('.').at(-1)),
    );
    expect([...kinds].sort()).toEqual(['cjs', 'css', 'html', 'js', 'json', 'mjs', 'node', 'svg', 'wasm']);
    // viem's own module for test chains, which its index loads.
    const odd = files
      .filter((path) => !path.startsWith('node_modules/viem/_esm/actions/test/'))
      .filter(
        (path) =>
          /\/(?:tests?|__tests__|benchmarks?|examples?|\.github|coverage)\//.test(path) ||
          /\.(?:test|spec)\.\w+$/.test(path),
      );
    expect(odd).toEqual([]);
    expect(files.filter((path) => path.endsWith('.html'))).toEqual(['out/renderer/index.html']);
    const ours = files.filter((path) => !path.startsWith('node_modules/'));
    expect(ours.filter((path) => /^(?:main|renderer|shared|test|docs|resources)\//.test(path))).toEqual([]);
  });

  it('holds every production dependency and no other', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
    const nameOf = (path: string) => path.split('node_modules/').at(-1) ?? '';
    const wanted = new Set<string>();
    for (const [path, { dev, devOptional, optional, peer }] of Object.entries(packages)) {
      if (path !== '' && !dev && !devOptional && !optional && !peer) wanted.add(nameOf(path));
    }
    const allowed = new Set(
      Object.entries(packages).flatMap(([path, { dev }]) => (path === '' || dev ? [] : [nameOf(path)])),
    );
    const packed = new Set(
      files.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
    );
    expect([...packed].filter((name) => !allowed.has(name))).toEqual([]);
    expect([...wanted].filter((name) => !packed.has(name) && !LEFT_OUT.test(name))).toEqual([]);
    expect([...packed].filter((name) => LEFT_OUT.test(name))).toEqual([]);
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: object;
    };
    expect(Object.keys(devDependencies).filter((name) => packed.has(name))).toEqual([]);
  });

  it('keeps the licences of what it holds', () => {
    const holders = files.filter((path) => /(?:^|\/)licen[cs]e/i.test(path)).length;
    expect(holders).toBeGreaterThan(70);
    for (const name of ['better-sqlite3', 'sodium-native', 'require-addon'])
      expect(files.filter((path) => path.startsWith(`node_modules/${name}/LICENSE`))).toHaveLength(1);
    // It is in sodium-native's binary, and asks to be named with it.
    expect(readFileSync(join(resources, 'licences/libsodium.txt'), 'utf8')).toContain('Frank Denis');
  });

  it('holds this platform’s SQLite and libsodium, as real files beside the archive', () => {
    const binaries = files.filter((path) => path.endsWith('.node'));
    expect(binaries).toEqual([
      `node_modules/better-sqlite3/prebuilds/${target}.node`,
      `node_modules/sodium-native/prebuilds/${target}/sodium-native.node`,
    ]);
    for (const binary of binaries) {
      expect(asar.statFile(archive, binary).unpacked).toBe(true);
      expect(existsSync(join(`${archive}.unpacked`, binary))).toBe(true);
    }
  });

  it('has the sample clip and the icons beside the archive', () => {
    const [icon, ...others] = readdirSync(resources)
      .filter((name) => !name.startsWith('app.asar'))
      .sort();
    expect([icon, ...others]).toEqual([
      'icon.png',
      'licences',
      'sample-clip.mp4',
      'tray.png',
      'tray@2x.png',
      'trayTemplate.png',
      'trayTemplate@2x.png',
    ]);
  });

  it('names nothing in its package.json but what runs', () => {
    const manifest = JSON.parse(readFileSync(join(extracted, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest).toMatchObject({ name: 'ace-node', type: 'module', main: 'out/main/electron.js' });
    expect(Object.keys(manifest)).not.toContain('devDependencies');
  });

  it('has every switch of the binary set', () => {
    const binary = readFileSync(join(resources, '..', 'ace-node'), 'latin1');
    const at = binary.indexOf(SENTINEL) + SENTINEL.length + 2;
    const set = Object.keys(FUSES).map((name, index) => [name, binary[at + index]]);
    expect(Object.fromEntries(set)).toEqual(FUSES);
  });

  it('starts without a window from inside, serves its pages and answers', async () => {
    const dataDir = join(dir, 'data');
    const child = spawn(
      process.execPath,
      [join(extracted, 'out/main/cli.js'), 'start', '--headless', '--http-port', '0', '--data-dir', dataDir],
      // Nothing may come from this checkout.
      { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const address = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stdout }).once('line', resolve);
        child.once('exit', (code) => reject(new Error(`It ended with ${code}`)));
      });
      const page = await fetch(address);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('id="app"');
      const client = await connect(address, new URL(address).hash.replace('#token=', ''));
      expect((await client.call('snapshot', {})).devnet).toBe(true);
      await client.close();
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
  });

  it('starts its window’s side from inside, and the sample clip is offered', async () => {
    const app = await new DoubleApp({ root: extracted, resourcesDir: resources, packaged: true }).up();
    const native = await app.run<string[]>(
      "return process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))",
    );
    // Without it all goes on, several times slower.
    expect(
      native.filter((path) => path.startsWith(extracted) && path.includes('sodium-native')),
    ).toHaveLength(1);
    // As on the computer of whoever has just installed it: nothing runs before there is a wallet.
    expect(await app.call('contents')).toMatchObject({ error: { code: 'WalletMissing' } });
    await app.call('walletSkip');
    const { output } = await app.call<{ output: readonly { name: string }[] }>('contents');
    expect(output.map(({ name }) => name)).toContain('Sample clip.mp4');
    const snapshot = await waitFor(
      'the window is told',
      async () => (await app.told<NodeSnapshot>('snapshot'))[0],
    );
    expect(snapshot.account).toMatch(/^0x/);
    await app.end();
  });
});

/** What a package for a system takes of the native packages, wherever it is made. */
async function nativeFiles(system: 'linux' | 'win' | 'mac', arch: string): Promise<string[]> {
  const own = createRequire(require.resolve('app-builder-lib/package.json'));
  type IsTaken = (path: string, stat: Stats) => boolean;
  const { getNodeModuleFileMatcher } = own('./out/fileMatcher.js') as {
    getNodeModuleFileMatcher(...args: unknown[]): { createFilter(): IsTaken };
  };
  const { getConfig } = own('./out/util/config/config.js') as {
    getConfig(dir: string, file: string, options: null): Promise<Record<string, unknown>>;
  };
  const { expandMacro } = own('./out/util/macroExpander.js') as {
    expandMacro(pattern: string, arch: string, info: object, extra: object): string;
  };
  const config = await getConfig(ROOT, join(ROOT, 'electron-builder.yml'), null);
  const expand = (pattern: string) => expandMacro(pattern, arch, {}, { os: system, '/*': '{,/**/*}' });
  const packager = { config, debugLogger: { isEnabled: false } };
  const isTaken = getNodeModuleFileMatcher(ROOT, '/package', expand, config[system], packager).createFilter();
  // It looks into no folder that is left out.
  const filesIn = (path: string): string[] => {
    const stat = lstatSync(path);
    if (!isTaken(path, stat)) return [];
    return stat.isFile() ? [path] : readdirSync(path).flatMap((name) => filesIn(join(path, name)));
  };
  return ['better-sqlite3', 'sodium-native'].flatMap((name) => {
    const folder = join(ROOT, 'node_modules', name, 'prebuilds');
    return filesIn(folder)
      .map((path) => path.slice(folder.length + 1))
      .map((path) => `${name}/${path.replaceAll('\\', '/')}`);
  });
}

// `${platform}` was the system that the package is made on: one for Windows made on Linux had Linux' binaries.
it.each([
  ['linux', 'linux'],
  ['win', 'win32'],
  ['mac', 'darwin'],
] as const)(
  'a package for %s holds the native code of that system, and no other',
  async (system, platform) => {
    for (const arch of ['x64', 'arm64'])
      expect(await nativeFiles(system, arch)).toEqual([
        `better-sqlite3/${platform}-${arch}.node`,
        `sodium-native/${platform}-${arch}/sodium-native.node`,
      ]);
  },
);

it('the package is made with every switch of the binary set', () => {
  const yaml = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8');
  const block = /^electronFuses:\n((?: {2}\w+: \w+\n)+)/m.exec(yaml)?.[1] ?? '';
  const set = [...block.matchAll(/ {2}(\w+): (true|false)\n/g)].map(([, name, on]) => [
    name,
    on === 'true' ? '1' : '0',
  ]);
  // The last one is about signing a macOS package and is none of the binary's.
  expect(Object.fromEntries(set)).toEqual({ ...FUSES, resetAdHocDarwinSignature: '1' });
});

it('the menu entry of an AppImage starts the app with Chromium’s sandbox', () => {
  const yaml = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8');
  // electron-builder's own choice, where this says nothing, is --no-sandbox.
  expect(yaml).toMatch(/^appImage:\n(?: {2}#.*\n)* {2}executableArgs: \[\]\n/m);
  expect(yaml).not.toMatch(/^[^#\n]*no-sandbox/m);
});

it('the package hands our links, and no others, to the app', () => {
  const yaml = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8');
  const schemes = /^protocols:\n(?: {2}.*\n)*? {4}schemes:\n((?: {6}- \S+\n)+)/m.exec(yaml)?.[1] ?? '';
  expect(schemes.match(/\w+/g)).toEqual([...LINK_SCHEMES]);
});

describe('the icons', () => {
  const file = (name: string) => readFileSync(join(ROOT, 'resources', name));
  const sizeOf = (png: Buffer) => [png.readUInt32BE(16), png.readUInt32BE(20)];

  it('are there for Linux in every size that desktops ask for', () => {
    for (const size of [16, 24, 32, 48, 64, 128, 256, 512])
      expect(sizeOf(file(`icons/${size}x${size}.png`))).toEqual([size, size]);
  });

  it('are there for Windows, the largest of 256 pixels', () => {
    const ico = file('icon.ico');
    expect([ico.readUInt16LE(0), ico.readUInt16LE(2)]).toEqual([0, 1]);
    const sizes = Array.from({ length: ico.readUInt16LE(4) }, (_, index) => {
      const at = 6 + 16 * index;
      const [bytes, offset] = [ico.readUInt32LE(at + 8), ico.readUInt32LE(at + 12)];
      const [width = 0] = sizeOf(ico.subarray(offset, offset + bytes));
      expect(width % 256).toBe(ico[at]);
      return width;
    });
    expect(sizes).toEqual([16, 24, 32, 48, 64, 128, 256]);
  });

  it('are there for macOS, the largest of 1024 pixels', () => {
    const icns = file('icon.icns');
    expect(icns.toString('latin1', 0, 4)).toBe('icns');
    expect(icns.readUInt32BE(4)).toBe(icns.length);
    const found = new Map<string, number>();
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4))
      found.set(icns.toString('latin1', at, at + 4), sizeOf(icns.subarray(at + 8))[0] ?? 0);
    expect(found.get('ic10')).toBe(1_024);
    expect(found.get('ic08')).toBe(256);
  });

  it('are there for the tray, twice as fine where a screen is', () => {
    for (const [name, size] of [
      ['tray', 32],
      ['tray@2x', 64],
      ['trayTemplate', 18],
      ['trayTemplate@2x', 36],
    ] as const)
      expect(sizeOf(file(`${name}.png`))).toEqual([size, size]);
  });
});

describe('the uninstaller on Windows', () => {
  const script = readFileSync(join(ROOT, 'resources/installer.nsh'), 'utf8');

  it('takes away the start at login and the links that lead to it, not at an update', () => {
    const [, body = ''] = /!macro customUnInstall\n([\s\S]*?)!macroend/.exec(script) ?? [];
    expect(body.trim()).toMatch(/^\$\{ifNot\} \$\{isUpdated\}\n[\s\S]*\$\{endIf\}$/);
    // Electron's name for the entry is the app's model id.
    expect(body.match(/DeleteRegValue HKCU ".*\\Run" "\$\{APP_ID\}"/g)).toHaveLength(2);
    expect([...body.matchAll(/forgetLinks "(\w+)"/g)].map(([, scheme]) => scheme)).toEqual([...LINK_SCHEMES]);
    const yaml = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8');
    expect(yaml).toMatch(/^ {2}include: resources\/installer\.nsh$/m);
    const desktop = readFileSync(join(ROOT, 'main/app/desktop.ts'), 'utf8');
    expect(yaml).toContain(`appId: ${/APP_ID = '(.+)'/.exec(desktop)?.[1]}\n`);
  });

  const makensis = '/usr/bin/makensis';
  it.skipIf(!existsSync(makensis))('is a script that the compiler takes without a warning', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ace-nsis-'));
    const main = join(dir, 'main.nsi');
    const lines = [
      '!include LogicLib.nsh',
      '!define APP_ID x',
      '!define APP_EXECUTABLE_FILENAME "x.exe"',
      '!define isUpdated `$0 == 1`',
      `!include "${join(ROOT, 'resources/installer.nsh')}"`,
      `OutFile "${join(dir, 'out.exe')}"`,
      ...['Section', 'WriteUninstaller "$INSTDIR\\u.exe"', 'SectionEnd'],
      ...['Section un.x', '!insertmacro customUnInstall', 'SectionEnd'],
    ];
    writeFileSync(main, lines.join('\n'));
    try {
      await promisify(execFile)(makensis, ['-V2', '-WX', main]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
