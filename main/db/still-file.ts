/**
 * Where to read a database that is only looked at. SQLite makes files of its own beside the one it opens in WAL mode,
 * even to read; what is inspected must stay as it is, and may lie where nothing can be written.
 */
import { constants, copyFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withStoreErrors } from './open.ts';

const ATTEMPTS = 3;

/**
 * A path that can be opened as a snapshot without a trace beside `path`: the file itself while another process has it
 * open, and otherwise a copy in `scratchDir`, which the caller removes.
 * @throws AceError `DataDirNotWritable`, `StoreFailed`
 */
export function stillFile(path: string, scratchDir: string): string {
  return withStoreErrors(() => {
    const copy = join(scratchDir, basename(path));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A process that has the file open made this one; SQLite's own locks then give a consistent picture.
      if (existsSync(`${path}-shm`)) return path;
      const before = [stateOf(path), stateOf(`${path}-wal`)].join();
      copyFileSync(path, copy, constants.COPYFILE_FICLONE);
      // Left by a process that ended without closing it: part of the database.
      if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`, constants.COPYFILE_FICLONE);
      else rmSync(`${copy}-wal`, { force: true });
      const after = [stateOf(path), stateOf(`${path}-wal`)].join();
      if (before === after && !existsSync(`${path}-shm`)) return copy;
    }
    return path;
  }, path);
}

function stateOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.mtimeNs}:${stat.size}` : 'none';
}
