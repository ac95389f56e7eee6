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
 * Tests that hold no state outside of themselves share a process with others of their kind, which loads the modules once.
 * Those of them that turn the clock, watch the process or count on a module that nobody used before have one of their own.
 */
const SHARING = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'];
const NOT_SHARING = [
  ...['app/lifecycle', 'app/pages-scheme', 'app/system', 'app/window', 'preload/preload', 'launcher/window'],
  ...['process/crash-reports', 'process/log', 'process/stop-signals', 'rpc/ipc', 'rpc/websocket', 'rpc/feed'],
  ...['channel/reports', 'channel/group-commit', 'content/tracks', 'limits/user-limits', 'pieces/interests'],
  ...[
    'players/sessions',
    'rpc/procedures',
    'traffic/traffic-book',
    'transfer/asking',
    'transfer/stream-pool',
  ],
  ...['validator/settlement-timer', 'validator/verify-pool'],
].map((name) => `test/unit/main/${name}?(.long).test.ts`);

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
          exclude: [...MEASURING, ...PAGE_STATE, ...SHARING, 'test/bench/**', ...LEFT_OUT],
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
          exclude: LEFT_OUT,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'sharing',
          include: SHARING,
          exclude: [...NOT_SHARING, ...PAGE_STATE, ...LEFT_OUT],
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
