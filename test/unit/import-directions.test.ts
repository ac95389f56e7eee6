import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The rules of ARCHITECTURE.md, asserted on the files themselves: a lint pattern that matches nothing would pass unseen.
// biome.json has the coarse ones, for the editor.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The house of main/, from the roof down: a file imports from its own folder and from those below it. */
const FLOORS = [
  ...['cli.ts', 'cli', 'electron.ts', 'app', 'node', 'service', 'players', 'peer', 'live', 'discovery'],
  ...['transfer', 'account', 'validator', 'pieces', 'chain', 'traffic', 'limits', 'data-dir', 'p2p'],
  ...['content', 'channel', 'wallet', 'journal', 'rpc', 'db', 'preload', 'util', 'process', 'launcher'],
];
/** Made by the build, and not in the repository. */
const GENERATED = 'shared/i18n/compiled/';
const ELECTRON_SIDE = ['main/electron.ts', 'main/app/', 'main/preload/'];

const within = (path: string, places: readonly string[]) =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
const floorOf = (path: string) => FLOORS.indexOf(path.split('/')[1] ?? '');

/** Every module a source names: static and dynamic imports, re-exports, import types. */
function importsOf(source: string): string[] {
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/g,
    /\bimport\s*(['"])([^'"\n]+)\1/g,
    /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g,
  ];
  return patterns.flatMap((pattern) => [...withoutComments.matchAll(pattern)].map((match) => match[2] ?? ''));
}

/** Why `file` may not import `specifier`, or undefined when it may. Paths are relative to the top. */
function violation(file: string, specifier: string): string | undefined {
  const top = file.split('/')[0];
  const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;
  if (target === undefined) {
    const name = specifier.split('/')[0];
    if (name === 'better-sqlite3' && !file.startsWith('main/db/')) return 'only main/db uses better-sqlite3';
    if (name === 'electron' && !within(file, ELECTRON_SIDE)) return 'only the Electron side uses electron';
    if (top === 'shared' && isBuiltin(specifier)) return 'shared/ uses no Node module';
    if (top === 'shared' && name === 'svelte') return 'shared/ knows nothing of the renderer';
    if (top === 'renderer' && isBuiltin(specifier)) return 'renderer/ uses no Node module';
    if (file.startsWith('main/launcher/') && !specifier.startsWith('node:'))
      return 'the launcher uses node: only';
    return undefined;
  }
  // The version stands in one place.
  if (target === 'package.json' && top === 'main') return undefined;
  if (!target.startsWith('shared/')) {
    if (top === 'shared') return 'shared/ imports nothing of the rest';
    if (!target.startsWith(`${top}/`)) return `${top}/ imports only itself and shared/`;
  }
  if (top === 'main' && target.startsWith('main/')) {
    if (floorOf(file) < 0) return `${file} stands on no floor of the house`;
    if (floorOf(target) < 0) return `${target} stands on no floor of the house`;
    if (floorOf(target) < floorOf(file)) return 'the arrows of the house point down';
  }
  return undefined;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js|svelte)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.startsWith(GENERATED));
}

const targetFrom = (file: string) => (specifier: string) =>
  specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;

/** The shortest way from a file back to itself, when it is the first of its names; else nothing. */
function circleFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const target of imports.get(file) ?? []) {
      if (target === start) {
        const way = [file];
        for (let at = cameFrom.get(file); at !== undefined; at = cameFrom.get(at)) way.unshift(at);
        return way.every((name) => name >= start) ? [[...way, start].join(' → ')] : [];
      }
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, file);
      queue.push(target);
    }
  }
  return [];
}

describe('import directions', () => {
  it.each(['shared', 'main', 'renderer'])('hold in every file of %s/', (folder) => {
    const files = sourceFiles(folder);
    const broken = files.flatMap((file) =>
      importsOf(readFileSync(join(ROOT, file), 'utf8')).flatMap((specifier) => {
        const why = violation(file, specifier);
        return why === undefined ? [] : [`${file} imports ${specifier}: ${why}`];
      }),
    );
    expect(files).not.toEqual([]);
    expect(broken).toEqual([]);
  });

  it('make no circle between files', () => {
    const files = ['shared', 'main', 'renderer'].flatMap(sourceFiles);
    const imports = new Map(
      files.map((file) => [file, importsOf(readFileSync(join(ROOT, file), 'utf8')).map(targetFrom(file))]),
    );
    expect(files.flatMap((file) => circleFrom(file, imports))).toEqual([]);
  });

  it('leave nothing loose in main/ but its doors', () => {
    const loose = readdirSync(join(ROOT, 'main'), { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(loose.map(({ name }) => name).sort()).toEqual(['cli.ts', 'electron.ts', 'tsconfig.json']);
  });
});

describe('the checker of import directions', () => {
  it.each([
    ['shared/economy/money.ts', '../../main/node/node.ts'],
    ['shared/economy/money.ts', '../../renderer/format/amount.ts'],
    ['shared/economy/money.ts', 'node:crypto'],
    ['shared/economy/money.ts', 'fs'],
    ['shared/economy/money.ts', 'electron'],
    ['renderer/views/home.ts', '../../main/rpc/procedures.ts'],
    ['renderer/views/home.ts', 'node:fs'],
    ['main/channel/payer.ts', 'better-sqlite3'],
    ['main/cli/headless.ts', 'better-sqlite3'],
    ['main/rpc/http.ts', 'electron'],
    ['main/cli/headless.ts', 'electron'],
    ['main/node/node.ts', 'electron/main'],
    ['main/node/node.ts', '../cli/headless.ts'],
    ['main/pieces/viewer-stream.ts', '../app/window.ts'],
    ['main/pieces/viewer-stream.ts', '../node/node.ts'],
    ['main/rpc/procedures.ts', '../cli/demo.ts'],
    ['main/peer/peer.ts', '../service/ports.ts'],
    ['main/channel/claims.ts', '../validator/intake.ts'],
    ['main/db/open.ts', '../cli.ts'],
    ['main/loose.ts', './node/node.ts'],
    ['main/node/node.ts', '../loose.ts'],
    ['main/node/node.ts', '../../renderer/shell/main.ts'],
    ['main/cli.ts', '../test/helpers/node.ts'],
    ['main/launcher/install.mjs', 'commander'],
  ])('refuses %s importing %s', (file, specifier) => {
    expect(violation(file, specifier)).toBeTypeOf('string');
  });

  it.each([
    ['shared/economy/money.ts', './units.ts'],
    ['renderer/views/home.ts', '../../shared/economy/money.ts'],
    ['renderer/views/home.ts', 'svelte'],
    ['main/db/open.ts', 'better-sqlite3'],
    ['main/app/window.ts', 'electron'],
    ['main/electron.ts', './node/node.ts'],
    ['main/cli/start.ts', './headless.ts'],
    ['main/node/node.ts', '../rpc/http.ts'],
    ['main/channel/payer.ts', '../process/log.ts'],
    ['main/channel/payer.ts', '../db/open.ts'],
    ['main/channel/payer.ts', 'node:crypto'],
  ])('lets %s import %s', (file, specifier) => {
    expect(violation(file, specifier)).toBeUndefined();
  });

  it('finds a circle, and tells it once', () => {
    const imports = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts', 'd.ts']],
      ['c.ts', ['a.ts']],
      ['d.ts', []],
    ]);
    expect([...imports.keys()].flatMap((file) => circleFrom(file, imports))).toEqual([
      'a.ts → b.ts → c.ts → a.ts',
    ]);
  });

  it('sees every way to name a module', () => {
    const source = [
      "import a from './a.ts';",
      "import {\n  b,\n  type C,\n} from './b.ts';",
      "import type { D } from './d.ts';",
      "import './e.ts';",
      "export * from './f.ts';",
      "export { g } from './g.ts';",
      "const h = await import('./h.ts');",
      "type I = import('./i.ts').I;",
      "const j = require('./j.ts');",
      "// import './in-a-comment.ts';",
    ].join('\n');
    expect(importsOf(source).toSorted()).toEqual(
      ['a', 'b', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((name) => `./${name}.ts`),
    );
  });
});
