import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { stillFile } from '../../../../main/db/still-file.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

function scene() {
  const root = tempDir();
  const [dir, scratchDir] = ['dir', 'scratch'].map((name) => join(root, name)) as [string, string];
  mkdirSync(dir);
  mkdirSync(scratchDir);
  const path = join(dir, 'a.db');
  const live = new Sqlite(path);
  live.pragma('journal_mode = WAL');
  live.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
  return { dir, scratchDir, path, live };
}

function rowsOf(path: string): unknown {
  const db = new Sqlite(path, { readonly: true });
  try {
    return db.prepare('SELECT x FROM t').pluck().all();
  } finally {
    db.close();
  }
}

describe('reading a database without a trace', () => {
  it('of a closed one reads a copy, and leaves nothing beside it', () => {
    const { dir, scratchDir, path, live } = scene();
    live.close();
    const copy = stillFile(path, scratchDir);
    expect(dirname(copy)).toBe(scratchDir);
    expect(rowsOf(copy)).toEqual([1]);
    expect(readdirSync(dir)).toEqual(['a.db']);
  });

  it('of one that is open reads the file itself, as its writers left it', () => {
    const { scratchDir, path, live } = scene();
    expect(stillFile(path, scratchDir)).toBe(path);
    live.exec('INSERT INTO t VALUES (2)');
    expect(rowsOf(path)).toEqual([1, 2]);
    live.close();
  });

  it('takes along what a writer that ended early had not moved into the file', () => {
    const { dir, scratchDir, path, live } = scene();
    renameSync(`${path}-shm`, join(dirname(dir), 'gone-shm'));
    const copy = stillFile(path, scratchDir);
    expect(rowsOf(copy)).toEqual([1]);
    expect(readdirSync(dir).sort()).toEqual(['a.db', 'a.db-wal']);
    live.close();
  });

  it('takes a second copy without what an earlier one had beside it', () => {
    const { scratchDir, path, live } = scene();
    renameSync(`${path}-shm`, join(scratchDir, 'gone-shm'));
    stillFile(path, scratchDir);
    renameSync(join(scratchDir, 'gone-shm'), `${path}-shm`);
    live.close();
    expect(rowsOf(stillFile(path, scratchDir))).toEqual([1]);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});
