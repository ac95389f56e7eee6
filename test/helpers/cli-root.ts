/** Where the tests of the command line keep what they make. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { killStarted } from './cli.ts';

/** A folder for one file of tests: what they started ends after the last of them, and then the folder goes. */
export function useCliRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'ace-cli-'));
  afterAll(async () => {
    await killStarted();
    rmSync(root, { recursive: true, force: true });
  });
  return root;
}
