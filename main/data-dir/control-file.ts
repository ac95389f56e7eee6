/**
 * `control.json`: where the node that runs on a data directory answers, and what it wants to be shown. A copy of the
 * directory has a copy of it, which is no address of the copy: commands would act on the wallet and funds of the first.
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFileAtomic } from '../util/atomic-write.ts';
import type { DataDir } from './data-dir.ts';

export interface NodeAddress {
  readonly url: string;
  readonly token: string;
}

export async function writeControl(dataDir: DataDir, { url, token }: NodeAddress): Promise<void> {
  const control = { url, token, pid: process.pid, folder: folderId(dataDir) };
  await writeFileAtomic(dataDir.control, `${JSON.stringify(control)}\n`, 0o600);
}

export function removeControl(dataDir: DataDir): void {
  rmSync(dataDir.control, { force: true });
}

/** `null` when no node has left its address there. One that was killed left it, too. */
export function readControl(dataDir: DataDir): NodeAddress | null {
  const path = dataDir.control;
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
function folderId({ path }: DataDir): string {
  return String(statSync(path, { bigint: true }).ino);
}
