/**
 * Keeps the other users of this computer out of a data directory: who reads its books can bill its owner with the
 * ticks in them. Each start closes all that is there, because a folder may have existed, been copied or been unpacked
 * with other modes. Links are not followed: what they lead to is their owner's.
 */
import { chmodSync, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../process/log.ts';
import { DataDir } from './data-dir.ts';

const OTHERS = 0o077;

/**
 * Closes the folder and what is in it, before any of it is opened: SQLite gives the files that it makes beside a
 * database the modes of the database. A folder that cannot be closed is warned of, in the log and to the user: some
 * disks know no modes, and there the user's choice of another place is the only cure. Windows gives a user's folders
 * to that user by itself.
 */
export function keepOthersOut(path: string, log: Pick<Log, 'warn'> | null): void {
  if (process.platform === 'win32') return;
  const { mode, uid } = statSync(path);
  if (isOpen(mode)) tryClose(path, mode);
  closeInside(path, new DataDir(path).pieces);
  if (!isOpen(statSync(path).mode)) return;
  const cure =
    uid === process.geteuid?.()
      ? 'its disk keeps no file permissions: choose a --data-dir on another disk'
      : `it belongs to another user: have that one run chmod -R go= ${path}, or choose another --data-dir`;
  const text = `Other users of this computer can read the wallet and the books in ${path}, because ${cure}`;
  log?.warn({ mode: mode.toString(8) }, text);
  process.stderr.write(`ace-node: ${text}\n`);
}

/**
 * `pieces` may hold a hundred thousand files. Where it was closed before nobody got at them, whatever their modes are.
 */
function closeInside(folder: string, pieces: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat || !isOurs(stat)) continue;
    if (isOpen(stat.mode)) tryClose(path, stat.mode);
    if (stat.isDirectory() && (path !== pieces || isOpen(stat.mode))) closeInside(path, pieces);
  }
}

function isOurs(stat: Stats): boolean {
  return stat.isFile() || stat.isDirectory();
}

function isOpen(mode: number): boolean {
  return (mode & OTHERS) !== 0;
}

/** The owner keeps what the owner had. */
function tryClose(path: string, mode: number): void {
  try {
    chmodSync(path, mode & 0o700);
  } catch {
    // Another user's, or a disk without modes: it counts whether the folder around it could be closed.
  }
}
