import { defineConfig } from 'vitest/config';

/** Folders whose tests start processes, browsers or big transfers: one file at a time, after the quick ones. */
const HEAVY = ['integration', 'crash', 'adversary', 'e2e'].map((folder) => `test/${folder}/**/*.test.ts`);

/** Those that wait for commands and encoders most of the time: two at once, before the others. */
const COMMANDS = ['cli*', 'chain-cli', 'demo', 'live', 'live-cli', 'shard-folders', 'data-dir'].map(
  (name) => `test/integration/${name}.test.ts`,
);

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
          exclude: HEAVY,
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
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: HEAVY,
          exclude: COMMANDS,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
