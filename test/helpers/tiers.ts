/** Tables of tests that have rows in both tiers (CONTRIBUTING.md). */
import { it, type TestAPI } from 'vitest';

/** How often a property is tried: in the quick tier, and in all. */
export function triesInTiers(quick: number, all: number): number {
  return process.env.ACE_TESTS === 'quick' ? quick : all;
}

interface Rows<Row extends unknown[]> {
  /** Of each kind one. */
  readonly quick: readonly (readonly [...Row])[];
  /** What shows the same once more. */
  readonly long: readonly (readonly [...Row])[];
}

/** As `it.each`, with the rows of the long tier apart. */
export function itInTiers<Row extends unknown[]>(rows: Rows<Row>, test: Pick<TestAPI, 'each'> = it) {
  return (title: string, run: (...row: Row) => Promise<void> | void): void => {
    const runRow = (...row: unknown[]) => run(...(row as Row));
    test.each(rows.quick.map((row) => [...row]))(title, runRow);
    test.each(rows.long.map((row) => [...row]))(title, { tags: 'long' }, runRow);
  };
}
