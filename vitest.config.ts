import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Folders whose tests start processes, browsers or big transfers: after the quick ones. */
const HEAVY = ['integration', 'crash', 'adversary', 'e2e'].map((folder) => `test/${folder}/**/*.test.ts`);

/** Those that wait for commands and encoders most of the time: two at once, before the others. */
const COMMANDS = ['cli*', 'chain-cli', 'demo', 'live', 'live-cli', 'shard-folders', 'data-dir'].map(
  (name) => `test/integration/${name}.test.ts`,
);

/** Those that measure rates, times or memory: one file at a time, after all others. */
const MEASURING = [
  ...['limits', 'several-providers', 'stream', 'viewing'].map((name) => `integration/${name}`),
  ...[
    'claims',
    'have-floods',
    'payment-claim-flood',
    'payment-late-piece',
    'renewal',
    'shard-flood',
    'tiny-channels',
  ].map((name) => `adversary/${name}`),
].map((name) => `test/${name}.test.ts`);

/**
 * Real processes and clocks: a machine that is busy with something else for a second may be the reason of a failure. A test
 * that fails twice has failed; one that passed at the second try is named at the end of the run.
 */
const RETRY = 1;

/** The pages' state classes, whose runes have to be compiled, in a document that only looks like a browser's. */
const PAGE_STATE = ['test/unit/renderer/state/*.test.ts'];

/** Stories that open their page by test/helpers/app-window.ts: once more in the desktop window, where there is one. */
const IN_ELECTRON = ['test/e2e/watch.test.ts'];

export default defineConfig({
  test: {
    environment: 'node',
    // Each file in a process of its own: native modules and signals behave as in the real program.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: [...HEAVY, ...PAGE_STATE],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'pages',
          include: PAGE_STATE,
          environment: 'happy-dom',
          // Starting the document takes longer than the tests.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'commands',
          include: COMMANDS,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          retry: RETRY,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: HEAVY,
          exclude: [...COMMANDS, ...MEASURING],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          retry: RETRY,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'measuring',
          include: MEASURING,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          retry: RETRY,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'electron',
          include: IN_ELECTRON,
          env: { ACE_TEST_WINDOW: 'electron' },
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
