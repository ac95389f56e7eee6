import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  type Database,
  type Migration,
  openDatabase,
  storeError,
  transaction,
} from '../../../../main/db/open.ts';
import { isAceError } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { asOrdinaryUser } from '../../../helpers/ordinary-user.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const FIRST: Migration = {
  version: 1,
  name: 'notes',
  up: (db) =>
    db.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL CHECK (text <> '')) STRICT"),
};
const SECOND: Migration = {
  version: 2,
  name: 'tags',
  up: (db) => db.exec('CREATE TABLE tags (name TEXT) STRICT'),
};
const BROKEN: Migration = {
  version: 2,
  name: 'broken',
  up: (db) => {
    db.exec('CREATE TABLE half (name TEXT) STRICT');
    db.exec("INSERT INTO notes VALUES (2, 'half')");
    db.exec('this is not SQL');
  },
};

function open(path: string, migrations: readonly Migration[] = [FIRST]): Database {
  return openDatabase({ path, role: 'node', migrations });
}

function tables(path: string): string[] {
  const db = new Sqlite(path, { readonly: true });
  const names = db.prepare('SELECT name FROM sqlite_schema ORDER BY name').pluck().all() as string[];
  db.close();
  return names;
}

describe('openDatabase', () => {
  it('makes a durable database with its role and schema version', () => {
    const db = open(join(tempDir(), 'a.db'), [FIRST, SECOND]);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(db.pragma('busy_timeout', { simple: true })).toBe(5_000);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    expect(db.pragma('application_id', { simple: true })).toBe(0x4163_654e);
    db.close();
  });

  it('applies only the migrations that are pending', () => {
    const path = join(tempDir(), 'a.db');
    const first = open(path);
    first.exec("INSERT INTO notes VALUES (1, 'kept')");
    first.close();
    const second = open(path, [FIRST, SECOND]);
    expect(second.prepare('SELECT text FROM notes').pluck().all()).toEqual(['kept']);
    expect(second.pragma('user_version', { simple: true })).toBe(2);
    second.close();
  });

  it('refuses a file of another role', () => {
    const path = join(tempDir(), 'a.db');
    open(path).close();
    expectAceError('DataDirMismatch', () => openDatabase({ path, role: 'chain', migrations: [FIRST] }));
  });

  it('refuses a database of another program', () => {
    const path = join(tempDir(), 'a.db');
    const other = new Sqlite(path);
    other.exec('CREATE TABLE theirs (a)');
    other.close();
    expectAceError('DataDirMismatch', () => open(path));
    expect(tables(path)).toEqual(['theirs']);
  });

  it('refuses a newer file and leaves it as it is', () => {
    const path = join(tempDir(), 'a.db');
    open(path, [FIRST, SECOND]).close();
    const before = readFileSync(path);
    const error = expectAceError('SchemaTooNew', () => open(path, [FIRST]));
    expect(error.message).toContain('newer Ace Node');
    expect(readFileSync(path)).toEqual(before);
  });

  it('leaves the old file as it was when a migration fails', () => {
    const path = join(tempDir(), 'a.db');
    const db = open(path);
    db.exec("INSERT INTO notes VALUES (1, 'kept')");
    db.close();
    const before = readFileSync(path);
    expectAceError('MigrationFailed', () => open(path, [FIRST, BROKEN]));
    expect(readFileSync(path)).toEqual(before);
    open(path).close();
  });

  it('keeps no earlier pending migration when a later one fails', () => {
    const path = join(tempDir(), 'a.db');
    expectAceError('MigrationFailed', () => open(path, [FIRST, BROKEN]));
    expect(tables(path)).toEqual([]);
  });

  it('refuses migrations that are not numbered on by one', () => {
    const skipping = [FIRST, { ...SECOND, version: 3 }];
    expectAceError('MigrationFailed', () => open(join(tempDir(), 'a.db'), skipping));
  });

  it('begins with the oldest schema that it still opens, and refuses those of before', () => {
    const path = join(tempDir(), 'a.db');
    open(path, [SECOND]).close();
    open(path, [SECOND, { ...FIRST, version: 3 }]).close();
    const error = expectAceError('SchemaTooOld', () => open(path, [{ ...FIRST, version: 4 }]));
    expect(error.details).toEqual({ version: 3, oldestVersion: 4 });
  });

  it('reports a damaged file as StoreFailed', () => {
    const path = join(tempDir(), 'a.db');
    writeFileSync(path, 'x'.repeat(4096));
    expectAceError('StoreFailed', () => open(path));
  });

  it('reports a missing folder as DataDirNotWritable', () => {
    const path = join(tempDir(), 'missing', 'a.db');
    expectAceError('DataDirNotWritable', () => open(path));
    expect(existsSync(path)).toBe(false);
  });

  it('reports a read-only file as DataDirNotWritable', async () => {
    const dir = tempDir();
    const path = join(dir, 'a.db');
    open(path).close();
    chmodSync(path, 0o400);
    await asOrdinaryUser(dir, () => expectAceError('DataDirNotWritable', () => open(path, [FIRST, SECOND])));
  });
});

describe('transaction', () => {
  it('keeps everything or nothing', () => {
    const db = open(join(tempDir(), 'a.db'));
    transaction(db, () => db.exec("INSERT INTO notes VALUES (1, 'a')"));
    expect(() =>
      transaction(db, () => {
        db.exec("INSERT INTO notes VALUES (2, 'b')");
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(db.prepare('SELECT id FROM notes').pluck().all()).toEqual([1]);
    db.close();
  });

  it('takes the write lock before it reads', () => {
    const path = join(tempDir(), 'a.db');
    const [one, two] = [open(path), open(path)];
    two.pragma('busy_timeout = 0');
    transaction(one, () => {
      const error = expectAceError('StoreFailed', () => transaction(two, () => undefined));
      expect(error.reaction).toBe('pause-channel');
    });
    one.close();
    two.close();
  });

  it('reports a broken constraint as InvariantViolated', () => {
    const db = open(join(tempDir(), 'a.db'));
    expectAceError('InvariantViolated', () =>
      transaction(db, () => db.exec("INSERT INTO notes VALUES (1, '')")),
    );
    db.close();
  });

  it('reports a full disk as StoreFailed', () => {
    const db = open(join(tempDir(), 'a.db'));
    db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
    const error = expectAceError('StoreFailed', () =>
      transaction(db, () => db.prepare('INSERT INTO notes VALUES (1, ?)').run('x'.repeat(100_000))),
    );
    expect(error.message).toContain('full');
    expect(db.prepare('SELECT count(*) FROM notes').pluck().get()).toBe(0);
    db.close();
  });
});

describe('storeError', () => {
  it.each([
    ['SQLITE_READONLY', 'DataDirNotWritable'],
    ['SQLITE_CANTOPEN', 'DataDirNotWritable'],
    ['SQLITE_IOERR_FSYNC', 'StoreFailed'],
    ['SQLITE_CORRUPT_INDEX', 'StoreFailed'],
    ['SQLITE_BUSY_SNAPSHOT', 'StoreFailed'],
    ['SQLITE_NOMEM', 'StoreFailed'],
    ['SQLITE_CONSTRAINT_UNIQUE', 'InvariantViolated'],
  ])('maps %s to %s and keeps the cause', (sqliteCode, code) => {
    const cause = new Sqlite.SqliteError('x', sqliteCode);
    const error = storeError(cause);
    expect(isAceError(error) && error.code).toBe(code);
    expect(isAceError(error) && error.cause).toBe(cause);
  });

  it('lets other errors through', () => {
    const error = new RangeError('x');
    expect(storeError(error)).toBe(error);
  });
});
