import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The same rules as in biome.json, asserted on the files themselves: a lint pattern that matches nothing
// would pass unseen. The rules come from the layers: shells → node → services → shared.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NODE = 'main/node/node.ts';
const SHELLS = [
  'main/electron.ts',
  'main/cli/headless.ts',
  'main/cli.ts',
  'main/cli/start.ts',
  'main/app/',
  'main/preload/',
  'main/cli/',
];
/** Made by the build, and not in the repository. */
const GENERATED = 'shared/i18n/compiled/';
const ELECTRON_SIDE = ['main/electron.ts', 'main/app/', 'main/preload/'];

const within = (path: string, places: readonly string[]) =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
const isShell = (path: string) => within(path, SHELLS);
const isService = (path: string) => /^main\/[^/]+\//.test(path) && !isShell(path);

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
  if (top === 'main' && !isShell(file)) {
    if (isShell(target)) return 'only a shell imports a shell';
    if (isService(file) && target === NODE) return 'services do not import the composition root';
  }
  return undefined;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js|svelte)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.startsWith(GENERATED));
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
});

describe('the checker of import directions', () => {
  it.each([
    ['shared/economy/money.ts', '../main/node/node.ts'],
    ['shared/economy/money.ts', '../renderer/format.ts'],
    ['shared/economy/money.ts', 'node:crypto'],
    ['shared/economy/money.ts', 'fs'],
    ['shared/economy/money.ts', 'electron'],
    ['renderer/views/home.ts', '../../main/rpc/procedures.ts'],
    ['renderer/views/home.ts', 'node:fs'],
    ['main/channel/payer.ts', 'better-sqlite3'],
    ['main/cli/headless.ts', 'better-sqlite3'],
    ['main/rpc/transport.ts', 'electron'],
    ['main/cli/headless.ts', 'electron'],
    ['main/node/node.ts', 'electron/main'],
    ['main/node/node.ts', './headless.ts'],
    ['main/pieces/client.ts', '../../../app/window.ts'],
    ['main/node/node.ts', './launch-shell.ts'],
    ['main/process/log.ts', './headless.ts'],
    ['main/rpc/procedures.ts', '../cli/demo.ts'],
    ['main/pieces/client.ts', '../../../node.ts'],
    ['main/db/open.ts', '../cli.ts'],
    ['main/node/node.ts', '../renderer/main.ts'],
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
    ['main/electron.ts', './node.ts'],
    ['main/cli/start.ts', './headless.ts'],
    ['main/node/node.ts', './rpc/server.ts'],
    ['main/channel/payer.ts', '../log.ts'],
    ['main/channel/payer.ts', '../db/open.ts'],
    ['main/channel/payer.ts', 'node:crypto'],
  ])('lets %s import %s', (file, specifier) => {
    expect(violation(file, specifier)).toBeUndefined();
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
