/**
 * Three bundles: the node with its shells and their dependencies (ESM), the preload (CommonJS, as a
 * sandboxed preload must be), and the pages. Running needs out/ and resources/, never the sources.
 */
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'electron-vite';
import { messageOptions } from './resources/compile-messages.mjs';

const root = import.meta.dirname;
const shells = ['main/electron.ts', 'main/cli.ts'].filter((file) => existsSync(join(root, file)));
// A worker is a file of its own at run time, so each one is an entry.
const workers = globSync('main/**/*-worker.ts', { cwd: root });
// It must run before anything else is loaded, and what shares a bundle with it would be loaded first.
const first = ['main/process/heap.ts'];
/** What cannot be bundled: native code, Electron's own module, and a package that reads its package.json at run time. */
const external = ['better-sqlite3', 'electron', '@achingbrain/ssdp', /^node:/];
const mainEntries = Object.fromEntries(
  [...first, ...shells, ...workers].map((file) => [basename(file, '.ts'), join(root, file)]),
);

export default defineConfig({
  main: {
    plugins: [paraglideVitePlugin(messageOptions)],
    build: {
      outDir: join(root, 'out/main'),
      emptyOutDir: true,
      sourcemap: true,
      // docs/decisions/0018: a start does not load the files of every dependency one by one.
      externalizeDeps: false,
      rolldownOptions: {
        input: mainEntries,
        external,
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: join(root, 'out/preload'),
      emptyOutDir: true,
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: join(root, 'main/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: join(root, 'renderer'),
    publicDir: join(root, 'renderer/public'),
    plugins: [paraglideVitePlugin(messageOptions), svelte(), tailwindcss()],
    build: {
      outDir: join(root, 'out/renderer'),
      emptyOutDir: true,
      minify: true,
      // Inlined assets would be data: URLs, which the content policy refuses for everything but images.
      assetsInlineLimit: 0,
      rolldownOptions: { input: join(root, 'renderer/index.html') },
    },
  },
});
