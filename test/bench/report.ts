/** What the benches have in common: roles in processes of their own, and how figures are told. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';

export const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length } as const;

/** Runs one role of a bench's script and reads the JSON it prints: none pays for another's memory. */
export function runRole<T>(script: string, args: readonly string[]): T {
  const out = execFileSync(process.execPath, [join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(out) as T;
}

/** One JSON object, or a line for each row. */
export function tell(
  figures: object,
  rows: readonly (readonly [label: string, text: string])[],
  json: boolean,
): void {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const text = json
    ? JSON.stringify(figures, null, 2)
    : rows.map(([label, value]) => `${label.padEnd(width)} ${value}`).join('\n');
  process.stdout.write(`${text}\n`);
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
