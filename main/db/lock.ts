/**
 * One process per data directory.
 *
 * The lock is SQLite's own lock on an empty file, held by an open exclusive transaction: the operating system frees it
 * when the process ends, however it ends, so there is no stale lock to clean up. Never open `lock.db` by other means:
 * on POSIX systems closing any descriptor of a file drops the process's locks on it.
 */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { AceError } from '../../shared/errors.ts';
import { makeFolder } from './make-folder.ts';
import { makeOwnerFile } from './make-owner-file.ts';
import { storeError } from './store-error.ts';

const LOCK_FILE = 'lock.db';

/** Locks this process holds. Without a reference here a forgotten handle would be collected, and its lock with it. */
const heldLocks = new Set<Sqlite.Database>();

export interface DataDirLock {
  /** Lets another process have the directory. Harmless when called again. */
  release(): void;
}

/**
 * Takes the data directory for this process, and makes it (mode 0700) when it is missing.
 * @throws AceError `DataDirInUse`, `DataDirNotWritable`, `StoreFailed`
 */
export function lockDataDir(dir: string): DataDirLock {
  let db: Sqlite.Database | undefined;
  try {
    makeFolder(dir);
    const path = join(dir, LOCK_FILE);
    makeOwnerFile(path);
    db = new Sqlite(path, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    throw isBusy(error) ? inUse(dir, error) : storeError(error, dir);
  }
  const held = db;
  heldLocks.add(held);
  return {
    release: () => {
      held.close();
      heldLocks.delete(held);
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

function inUse(dir: string, cause: unknown): AceError {
  return new AceError(
    'DataDirInUse',
    `${dir} is in use by another Ace Node: stop that one, or choose another directory with --data-dir`,
    { reaction: 'stop', cause },
  );
}
