/**
 * The half file beside the one that a command with `--out` writes. Its name says whose it is, so that one which a killed command
 * left is recognised, and that of a command which is still at work is let alone.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A name of our own: `out.part` may be a file of the user's. */
export function partialPath(out: string): string {
  return `${out}.${randomBytes(6).toString('hex')}.${process.pid}.part`;
}

/** Removes what killed commands left of this file. The answer is their names. */
export async function removeLeftOvers(out: string): Promise<string[]> {
  const folder = dirname(out);
  const removed: string[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(out)}.`)) continue;
    const owner = /^\.[0-9a-f]{12}\.(\d{1,10})\.part$/.exec(name.slice(basename(out).length))?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    await rm(join(folder, name), { force: true });
    removed.push(name);
  }
  return removed;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is one, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
