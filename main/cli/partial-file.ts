/**
 * The half file beside the one that a command with `--out` writes. Its name says whose it is, so that one which a killed command
 * left is recognised, and that of a command which is still at work is let alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Bytes of a name that file systems take, less the longest ending that is put behind it. */
const MOST_STEM_BYTES = 255 - '.0123456789ab.1234567890.part'.length;

/** A name of our own: `out.part` may be a file of the user's. */
export function partialPath(out: string): string {
  const name = `${stemOf(out)}.${randomBytes(6).toString('hex')}.${process.pid}.part`;
  return join(dirname(out), name);
}

/** The file's name, or what tells it from others where there is no room for an ending behind it. */
function stemOf(out: string): string {
  const name = basename(out);
  if (Buffer.byteLength(name) <= MOST_STEM_BYTES) return name;
  return `ace-node-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/** Removes what killed commands left of this file. The answer is their names. */
export async function removeLeftOvers(out: string): Promise<string[]> {
  const folder = dirname(out);
  const stem = stemOf(out);
  const removed: string[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${stem}.`)) continue;
    const owner = /^\.[0-9a-f]{12}\.(\d{1,10})\.part$/.exec(name.slice(stem.length))?.[1];
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
