import { globSync, readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Those that compare times within one run: one file at a time, after all others. */
const MEASURING = [
  'integration/several-providers',
  ...['have-floods', 'renewal', 'shard-flood', 'tiny-channels'].map((name) => `adversary/${name}`),
].map((name) => `test/${name}?(.long).test.ts`);

/** The pages' state classes, whose runes have to be compiled, in a document that only looks like a browser's. */
const PAGE_STATE = ['test/unit/renderer/state/*.test.ts'];

/** What `npm test` leaves to `npm run test:all` by the name of its file. Vitest started by itself runs everything. */
const LEFT_OUT = process.env.ACE_TESTS === 'quick' ? ['**/*.long.test.ts'] : [];

/**
 * Tests that run within their own process and leave nothing in it share one with others of their kind, which loads and warms
 * the modules once. One has a process of its own when its text names what all in a process share: the process itself, the
 * clock, memory, the event loop, other programs, what a passphrase costs.
 */
const MAY_SHARE = [
  'test/unit/**/*.test.ts',
  'test/property/**/*.test.ts',
  'test/adversary/**/*.test.ts',
  'test/integration/**/*.test.ts',
];
const OF_THE_PROCESS =
  /\bvi\.|\bprocess\.|globalThis|SCRYPT_PARAMS|child_process|worker|WorkMs|helpers\/(?:cli|crash|electron|encoder|disk|media|namespaces|peak|small)/i;
const NOT_SHARING = globSync(MAY_SHARE).filter((path) => OF_THE_PROCESS.test(readFileSync(path, 'utf8')));

/** Stories that open their page by test/helpers/app-window.ts: once more in the desktop window, where there is one. */
const IN_ELECTRON = ['test/e2e/watch.test.ts'];

/**
 * A test that needs a second try has failed. CI alone still gives one, and names it, until the whole suite has been seen to
 * pass under load without: take it out then. The limits of time are there for what hangs, so they leave room for a machine
 * that is busy with something else.
 */
const RETRY = process.env.CI === undefined ? 0 : 1;

export default defineConfig({
  test: {
    environment: 'node',
    retry: RETRY,
    tags: [
      {
        name: 'long',
        description: 'Of the long tier, in a file whose other tests are quick: CONTRIBUTING.md.',
      },
    ],
    // Each file in a process of its own: native modules and signals behave as in the real program.
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 20_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: [...MEASURING, ...PAGE_STATE, ...MAY_SHARE, 'test/bench/**', ...LEFT_OUT],
          // More than there are cores: many wait for sockets, disks and other processes most of the time.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'own process',
          include: NOT_SHARING,
          exclude: [...MEASURING, ...PAGE_STATE, ...LEFT_OUT],
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'sharing',
          include: MAY_SHARE,
          exclude: [...NOT_SHARING, ...MEASURING, ...PAGE_STATE, ...LEFT_OUT],
          isolate: false,
          maxWorkers: 3,
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
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'measuring',
          include: MEASURING,
          exclude: LEFT_OUT,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'electron',
          include: IN_ELECTRON,
          env: { ACE_TEST_WINDOW: 'electron' },
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
