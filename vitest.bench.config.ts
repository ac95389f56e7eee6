import { defineConfig } from 'vitest/config';

/** Measurements that take long or need a quiet machine: `npm run bench:measured`. */
export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    include: ['test/bench/measured/**/*.test.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
  },
});
