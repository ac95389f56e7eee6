import { chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const NOBODY = 65_534;

/**
 * Runs `fn` as a user who may not write everywhere, which root may: as root, with the rights of nobody for so long, who
 * then owns `dir`, a temporary folder, and all in it. For test files without concurrent tests: the rights are those of the whole process.
 */
export async function asOrdinaryUser<T>(dir: string, fn: () => T | Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0 || !process.seteuid) return fn();
  chownSync(dir, NOBODY, NOBODY);
  for (const entry of readdirSync(dir, { recursive: true }))
    chownSync(join(dir, String(entry)), NOBODY, NOBODY);
  process.seteuid(NOBODY);
  try {
    return await fn();
  } finally {
    process.seteuid(0);
  }
}
