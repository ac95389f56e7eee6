import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const MEMORY_CHILD = fileURLToPath(new URL('./memory-child.ts', import.meta.url));

/** The peak of a process of its own that fetches a content of so many pieces, whole and paid. */
export async function peakBytesOfStream(units: number): Promise<number> {
  // Only the heap of the product says something about the product.
  expect(/^import '(.+)';/m.exec(readFileSync(MEMORY_CHILD, 'utf8'))?.[1]).toBe('../../main/process/heap.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [MEMORY_CHILD, String(units)]);
  const { peakBytes, ...right } = JSON.parse(stdout) as { peakBytes: number; match: boolean; paid: number };
  expect(right).toEqual({ match: true, paid: units });
  return peakBytes;
}
