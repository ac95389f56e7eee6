/**
 * What a failing store means to the rest of the node. SQLite's and the file system's codes are mapped here, once, so
 * that no caller decides by message text.
 */
import { AceError, type ErrorCode, isAceError, type Reaction } from '../../shared/errors.ts';

interface StoreFailure {
  /** Start of a SQLite result code (extended codes begin with their primary one), or an errno name. */
  readonly prefix: string;
  readonly code: ErrorCode;
  readonly reaction: Reaction;
  readonly text: string;
}

const FAILURES: readonly StoreFailure[] = [
  notWritable('SQLITE_READONLY'),
  notWritable('SQLITE_CANTOPEN'),
  notWritable('SQLITE_PERM'),
  notWritable('EACCES'),
  notWritable('EPERM'),
  notWritable('EROFS'),
  notWritable('ENOTDIR'),
  notWritable('EEXIST'),
  { ...notWritable('ENOENT'), text: 'A folder is missing' },
  failed('SQLITE_FULL', 'The disk is full'),
  failed('ENOSPC', 'The disk is full'),
  failed('EDQUOT', 'The disk quota is used up'),
  failed('EFBIG', 'The file is larger than its disk or its user may have'),
  failed('SQLITE_BUSY', 'The database is locked by another process'),
  failed('SQLITE_LOCKED', 'The database is locked by another process'),
  failed('SQLITE_CORRUPT', 'The database file is damaged'),
  failed('SQLITE_NOTADB', 'The file is not a database, or it is damaged'),
  failed('SQLITE_IOERR', 'The disk does not read or write the database'),
  failed('EIO', 'The disk does not read or write'),
  // Constraints are invariants written into the schema: breaking one is a bug, not a broken disk.
  {
    prefix: 'SQLITE_CONSTRAINT',
    code: 'InvariantViolated',
    reaction: 'stop',
    text: 'A rule of the database is broken',
  },
  failed('SQLITE_', 'The database cannot be used'),
];

/**
 * Maps an error of SQLite or of the file system to the `AceError` that callers act on, with the original as its cause:
 * `DataDirNotWritable`, `StoreFailed` (reaction `pause-channel`: state is kept and nothing unsaved is acted on) or
 * `InvariantViolated` (a constraint). Any other error comes back as it is.
 */
export function storeError(error: unknown, what?: string): unknown {
  if (!(error instanceof Error) || error instanceof AceError) return error;
  const sqliteCode = codeOf(error);
  if (sqliteCode === undefined) return error;
  const failure = FAILURES.find(({ prefix }) => sqliteCode.startsWith(prefix));
  if (!failure) return error;
  const where = what === undefined ? '' : ` (${what})`;
  return new AceError(failure.code, `${failure.text}${where}`, {
    reaction: failure.reaction,
    cause: error,
    details: { storeCode: sqliteCode },
  });
}

/** This node's own disk is full, read-only or broken: nobody else has a part in it, and asking others is no help. */
export function isDiskTrouble(error: unknown): error is AceError {
  return isAceError(error, 'StoreFailed') || isAceError(error, 'DataDirNotWritable');
}

/** Reads a row that this program wrote itself. @throws AceError `StoreFailed` for what it cannot have written */
export function intact<T>(read: () => T, file = 'node.db'): T {
  try {
    return read();
  } catch (cause) {
    throw new AceError('StoreFailed', `A row of ${file} is damaged: restore a copy of the file`, {
      reaction: 'stop',
      cause,
    });
  }
}

/** Runs `fn`; what it throws goes through {@link storeError}. `what` names the file in the message. */
export function withStoreErrors<T>(fn: () => T, what?: string): T {
  try {
    return fn();
  } catch (error) {
    throw storeError(error, what);
  }
}

function codeOf(error: Error): string | undefined {
  // better-sqlite3 throws a plain TypeError when the folder of a database is missing.
  if (error instanceof TypeError && error.message.includes('directory does not exist'))
    return 'SQLITE_CANTOPEN';
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : undefined;
}

function notWritable(prefix: string): StoreFailure {
  return {
    prefix,
    code: 'DataDirNotWritable',
    reaction: 'stop',
    text: 'The data directory cannot be written to',
  };
}

function failed(prefix: string, text: string): StoreFailure {
  return { prefix, code: 'StoreFailed', reaction: 'pause-channel', text };
}
