/** The page of scenarios names tests that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '..', 'adversary');
const COLUMNS = 6;
const TESTS_COLUMN = 3;

interface Line {
  readonly number: number;
  readonly tests: string;
}

/** Lines of the table: cells between bars, the first a number. */
function lines(): Line[] {
  return readFileSync(join(FOLDER, 'SCENARIOS.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| *\d/.test(line))
    .map((line) => {
      const cells = line.split('|').slice(1, -1);
      expect(cells).toHaveLength(COLUMNS);
      return { number: Number(cells[0]), tests: cells[TESTS_COLUMN] ?? '' };
    });
}

/** Each file that a line names, with the names of tests quoted after it. */
function namedIn(tests: string): { file: string; names: string[] }[] {
  return [...tests.matchAll(/`([^`]+\.test\.ts)`([^`]*)/g)].map(([, file = '', rest = '']) => ({
    file,
    names: [...rest.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
  }));
}

describe('the page of scenarios', () => {
  it('has each scenario once, in order', () => {
    const numbers = lines().map(({ number }) => number);
    expect(numbers.length).toBeGreaterThan(20);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  it.each(lines().map((line) => [line.number, line] as const))(
    'names for scenario %i files that exist, and tests that are in them',
    (_number, { tests }) => {
      const named = namedIn(tests);
      expect(named.length).toBeGreaterThan(0);
      for (const { file, names } of named) {
        const path = join(FOLDER, file);
        expect(existsSync(path), file).toBe(true);
        const source = readFileSync(path, 'utf8');
        for (const name of names) expect(source.includes(name), `${file}: ${name}`).toBe(true);
      }
    },
  );
});
