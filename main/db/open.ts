/**
 * Opens a role's SQLite file. This folder is the only importer of better-sqlite3.
 *
 * Persistence contract: WAL with synchronous=FULL, so what a committed {@link transaction} wrote is on the disk when it
 * returns, and survives the process being killed and the machine losing power. A file carries its role in
 * `application_id` and its schema version in `user_version`; a file of another role, or of a newer program, is refused
 * and left as it is.
 *
 * Integers come back as numbers. Money does not fit one: statements that read it use `.safeIntegers()`.
 */
import Sqlite from 'better-sqlite3';
import { AceError } from '../../shared/errors.ts';
import { makeOwnerFile } from './make-owner-file.ts';
import { storeError, withStoreErrors } from './store-error.ts';

export { storeError, withStoreErrors } from './store-error.ts';

export type Database = Sqlite.Database;
export type Statement<Bind extends unknown[] | object = unknown[], Row = unknown> = Sqlite.Statement<
  Bind,
  Row
>;

/** Whose file it is. */
export type DatabaseRole = 'node' | 'validator' | 'chain';

/**
 * One schema version. Versions count on by one, from that of the oldest file that still opens; a released migration never
 * changes.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  up(db: Database): void;
}

export interface OpenOptions {
  /** File to open; made when it is missing. Its folder must exist. */
  readonly path: string;
  readonly role: DatabaseRole;
  readonly migrations: readonly Migration[];
  /** One unchanging picture of a file that another process may write to; its schema must be up to date. */
  readonly snapshot?: boolean;
  /** What messages call the file; its path, unless that is a copy of another. */
  readonly name?: string;
}

/** `application_id` per role: four letters in ASCII, as `file(1)` shows them. */
const APPLICATION_IDS: Readonly<Record<DatabaseRole, number>> = {
  node: 0x4163_654e, // AceN
  validator: 0x4163_6556, // AceV
  chain: 0x4163_6543, // AceC
};

const BUSY_TIMEOUT_MS = 5_000;
const IN_MEMORY = ':memory:';

/**
 * Opens the file and brings its schema up to date.
 * @throws AceError `DataDirMismatch` (a file of another role or program), `SchemaTooNew`, `SchemaTooOld`, `MigrationFailed` (the file
 * keeps its old version), `DataDirNotWritable`, `StoreFailed`
 */
export function openDatabase(options: OpenOptions): Database {
  const { path, role, migrations, snapshot = false, name = path } = options;
  if (!snapshot && path !== IN_MEMORY) makeOwnerFile(path);
  const db = withStoreErrors(() => new Sqlite(path, { timeout: BUSY_TIMEOUT_MS, readonly: snapshot }), name);
  try {
    // Only reads until the file is known to be ours: a refused file is not even switched to WAL.
    const version = checkFile(db, name, role, migrations);
    if (snapshot) {
      checkCurrent(name, version, migrations);
      // The first read after this fixes what all later ones see.
      db.exec('BEGIN');
      return db;
    }
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    migrate(db, path, role, migrations, version);
    db.pragma('foreign_keys = ON');
    return db;
  } catch (error) {
    db.close();
    throw storeError(error, name);
  }
}

/**
 * Whether {@link openDatabase} would take a file that is there, without bringing its schema up to date.
 * @throws AceError `DataDirMismatch`, `SchemaTooNew`, `SchemaTooOld`, `StoreFailed`
 */
export function checkOpens({
  path,
  role,
  migrations,
}: Pick<OpenOptions, 'path' | 'role' | 'migrations'>): void {
  withStoreErrors(() => {
    const db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
    try {
      checkFile(db, path, role, migrations);
    } finally {
      db.close();
    }
  }, path);
}

/**
 * Runs `fn` in one BEGIN IMMEDIATE transaction: all of it is durable when this returns, or none of it happened.
 * Inside another transaction it is a savepoint. `fn` must be synchronous. Errors of the store are mapped.
 */
export function transaction<T>(db: Database, fn: () => T): T {
  return withStoreErrors(() => db.transaction(fn).immediate());
}

/** Schema version of a file that may be opened; 0 for a new one. */
function checkFile(db: Database, path: string, role: DatabaseRole, migrations: readonly Migration[]): number {
  const applicationId = readInteger(db, 'application_id');
  const version = readInteger(db, 'user_version');
  const [oldest, newest] = versionsOf(migrations);
  const isNew = applicationId === 0 && version === 0 && countTables(db) === 0;
  if (!isNew && applicationId !== APPLICATION_IDS[role]) {
    throw new AceError('DataDirMismatch', `${path} is not a ${role} database of Ace Node`, {
      reaction: 'stop',
    });
  }
  if (version > newest) {
    throw new AceError(
      'SchemaTooNew',
      `${path} was written by a newer Ace Node (schema ${version}, this one knows ${newest}): update Ace Node to open it`,
      { reaction: 'stop', details: { version, knownVersion: newest } },
    );
  }
  if (!isNew && version < oldest) {
    throw new AceError(
      'SchemaTooOld',
      `${path} was made by an earlier Ace Node, and its ${role} cannot go on in this one: choose another --data-dir. Nothing here was changed`,
      { reaction: 'stop', details: { version, oldestVersion: oldest } },
    );
  }
  return version;
}

/** The first version that a list of migrations makes, and the last. */
function versionsOf(migrations: readonly Migration[]): [oldest: number, newest: number] {
  const oldest = migrations[0]?.version ?? 1;
  return [oldest, oldest + migrations.length - 1];
}

function checkCurrent(path: string, version: number, migrations: readonly Migration[]): void {
  if (version === versionsOf(migrations)[1]) return;
  throw new AceError(
    'DataDirMismatch',
    `${path} has an older schema: start Ace Node on it once to update it`,
    {
      reaction: 'stop',
    },
  );
}

/**
 * Applies the pending migrations, all in one transaction: SQLite's DDL, `user_version` and `application_id` are all
 * transactional, so a failure anywhere leaves the file exactly as it was. That is as safe as working on a copy, and
 * needs no free disk of the file's size.
 */
function migrate(
  db: Database,
  path: string,
  role: DatabaseRole,
  migrations: readonly Migration[],
  version: number,
): void {
  const [oldest, newest] = versionsOf(migrations);
  if (version === newest) return;
  // Rebuilding a table drops the old one: its children must not cascade. Checked as a whole before the commit.
  db.pragma('foreign_keys = OFF');
  db.transaction(() => {
    db.pragma(`application_id = ${APPLICATION_IDS[role]}`);
    // Read again under the write lock: another process may have been first.
    for (let next = Math.max(oldest, readInteger(db, 'user_version') + 1); next <= newest; next++) {
      runMigration(db, path, migrations[next - oldest], next);
    }
  }).immediate();
}

function runMigration(
  db: Database,
  path: string,
  migration: Migration | undefined,
  expectedVersion: number,
): void {
  const name = migration ? `${migration.version} (${migration.name})` : `${expectedVersion}`;
  try {
    if (migration?.version !== expectedVersion)
      throw new Error(`expected migration ${expectedVersion}, found ${name}`);
    migration.up(db);
    const broken = db.pragma('foreign_key_check') as unknown[];
    if (broken.length > 0) throw new Error(`${broken.length} rows point to nothing`);
    db.pragma(`user_version = ${expectedVersion}`);
  } catch (cause) {
    throw new AceError(
      'MigrationFailed',
      `${path} could not be updated to schema ${name}; it was left as it was`,
      {
        reaction: 'stop',
        cause,
        details: { version: expectedVersion },
      },
    );
  }
}

function readInteger(db: Database, pragma: 'application_id' | 'user_version'): number {
  return db.pragma(pragma, { simple: true }) as number;
}

function countTables(db: Database): number {
  return db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
}
