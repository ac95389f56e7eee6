/**
 * `control.json`: where the node that runs on a data directory answers, and what it wants to be shown. A copy of the
 * directory has a copy of it, which is no address of the copy: commands would act on the wallet and funds of the first.
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { nodePaths } from './config.ts';

export interface NodeAddress {
  readonly url: string;
  readonly token: string;
}

export async function writeControl(dataDir: string, { url, token }: NodeAddress): Promise<void> {
  const control = { url, token, pid: process.pid, folder: folderId(dataDir) };
  await writeFileAtomic(nodePaths(dataDir).control, `${JSON.stringify(control)}\n`, 0o600);
}

export function removeControl(dataDir: string): void {
  rmSync(nodePaths(dataDir).control, { force: true });
}

/** `null` when no node has said that it runs there. One that was killed said so, too. */
export function readControl(dataDir: string): NodeAddress | null {
  const path = nodePaths(dataDir).control;
  if (!existsSync(path)) return null;
  try {
    const control = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const { url, token, folder } = control;
    if (typeof url !== 'string' || typeof token !== 'string' || folder !== folderId(dataDir)) return null;
    return { url, token };
  } catch {
    return null; // half written by a process that was killed: the lock decides
  }
}

/** Stays when the folder is moved or reached by another name; a copy has another. */
function folderId(dir: string): string {
  return String(statSync(dir, { bigint: true }).ino);
}
