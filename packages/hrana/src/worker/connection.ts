// A connection to a database, with the statements that were prepared on it.
//
// Invariant: it never waits for a lock. What is locked is tried again by pipeline.ts, so that the
// stream that holds the lock, which may be on this very thread, can go on.

import BetterSqlite3, { type Database, type Statement } from 'better-sqlite3';

import { HranaError } from '../errors.ts';
import { outlineOf, type Parameters } from '../sql-text.ts';
import { PositionFile } from './position-file.ts';

export interface ConnectionOptions {
  readonly path: string;
  readonly isReadonly: boolean;
  /** A database that is not there is made by its first transaction. */
  readonly mayCreate: boolean;
}

/** What a statement does to a transaction. */
export type TransactionStep =
  | 'begin'
  | 'begin-readonly'
  | 'release'
  | 'commit'
  | 'rollback'
  | 'none';

export interface PreparedStatement {
  readonly statement: Statement<unknown[], unknown[]>;
  /** SQLite's own verdict. */
  readonly isReadonly: boolean;
  readonly step: TransactionStep;
  /** It changes how the connection behaves from then on. */
  readonly changesSession: boolean;
  readonly parameters: Parameters;
  readonly isExplain: boolean;
}

/** ORMs have hundreds of texts; each statement takes a few KiB of memory. */
const STATEMENT_COUNT_MAX = 256;

export class Connection {
  readonly isReadonly: boolean;
  readonly path: string;
  readonly #database: Database;
  readonly #statements = new Map<string, PreparedStatement>();
  #changes: Statement<[], readonly [bigint, bigint]> | undefined;
  readonly #positionFile: PositionFile;
  #isChanged = false;

  /** Throws SqliteError. */
  constructor({ path, isReadonly, mayCreate }: ConnectionOptions) {
    this.path = path;
    this.isReadonly = isReadonly;
    this.#positionFile = new PositionFile(path);
    this.#database = new BetterSqlite3(path, {
      readonly: isReadonly,
      fileMustExist: !mayCreate,
      timeout: 0,
    });
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  /** Whether somebody else would notice who has had it before. */
  get isReusable(): boolean {
    return !this.#isChanged && this.#database.open;
  }

  /** Throws HranaError, SqliteError. */
  prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#prepareAnew(sql);
    if (this.#statements.size >= STATEMENT_COUNT_MAX) {
      // The one that came first, of hundreds that all come again: good enough, and costs nothing.
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    this.#statements.set(sql, prepared);
    return prepared;
  }

  /** To be called for what is about to be executed. */
  note({ changesSession }: PreparedStatement): void {
    this.#isChanged ||= changesSession;
  }

  /** Of what it has thrown: after some errors nobody else is to have the connection. */
  noteError(error: unknown): void {
    const { code } = error as { readonly code?: unknown };
    if (typeof code === 'string' && SPOILING.test(code)) this.#isChanged = true;
  }

  /** Of the last statement that wrote: how many rows, and the number of the last one. */
  lastChange(): readonly [changes: bigint, lastInsertRowid: bigint] {
    // Not before the first write: preparing needs the schema, and so a lock.
    this.#changes ??= this.#database
      .prepare<[], readonly [bigint, bigint]>('SELECT changes(), last_insert_rowid()')
      .raw(true)
      .safeIntegers(true);
    return this.#changes.get()!;
  }

  /** Whatever was begun and not committed is undone. Returns whether something was. */
  rollback(): boolean {
    if (!this.#database.open || !this.#database.inTransaction) return false;
    this.#database.prepare('ROLLBACK').run();
    return true;
  }

  /** Sixteen hexadecimal digits. Undefined where the folder is no mount. */
  position(): string | undefined {
    return this.#positionFile.read();
  }

  close(): void {
    this.#positionFile.close();
    this.#database.close();
  }

  #prepareAnew(sql: string): PreparedStatement {
    const { words, parameters } = outlineOf(sql);
    checkAllowed(words, sql);
    // SQLite obeys most pragmas as it prepares them, also those that only are explained.
    if (words.includes('PRAGMA')) this.#isChanged = true;
    const isReadTransaction = isReadonlyBegin(words);
    // libSQL's own words; SQLite has the transaction, but no name for it.
    const statement = this.#compile(isReadTransaction ? 'BEGIN' : sql);
    const isRows = statement.reader;
    if (isRows) statement.raw(true);
    return {
      statement: statement.safeIntegers(true),
      isReadonly: statement.readonly,
      step: isReadTransaction ? 'begin-readonly' : stepOf(words),
      changesSession: !LASTING.has(words[0] ?? ''),
      parameters,
      isExplain: words[0] === 'EXPLAIN',
    };
  }

  #compile(sql: string): Statement<unknown[], unknown[]> {
    try {
      return this.#database.prepare(sql);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (error.message.includes('no statements')) {
        throw new HranaError('SQL_NO_STATEMENT', 'There is no statement in the text');
      }
      throw new HranaError('SQL_MANY_STATEMENTS', 'There is more than one statement in the text');
    } finally {
      // Drivers set it as they connect. It is pipeline.ts that waits, for all of them.
      if (/busy_timeout/i.test(sql)) this.#database.pragma('busy_timeout = 0');
    }
  }
}

/** The file is gone, or another one now; or the disk has failed. Another connection may be well. */
const SPOILING = /^SQLITE_(?:IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY|PROTOCOL)/;

/** Statements after which a connection is as it was, but for what is in the database. */
const LASTING: ReadonlySet<string> = new Set([
  'SELECT',
  'VALUES',
  'WITH',
  'EXPLAIN',
  'INSERT',
  'REPLACE',
  'UPDATE',
  'DELETE',
  'BEGIN',
  'COMMIT',
  'END',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
]);

/** Where temporary files are, and how much memory there is: for all who share the worker. */
const OF_THE_PROCESS = /(?:temp|data)_store_directory|(?:hard|soft)_heap_limit/i;

/** Other files than the database are none of a caller's business. */
function checkAllowed(words: readonly string[], sql: string): void {
  const [first] = words;
  if (first === 'ATTACH' || first === 'DETACH') {
    throw new HranaError('SQL_NOT_ALLOWED', `${first} is not allowed: it is about other files`);
  }
  if (first === 'VACUUM' && words.includes('INTO')) {
    throw new HranaError('SQL_NOT_ALLOWED', 'VACUUM INTO is not allowed: it writes another file');
  }
  // Also where it is only explained: SQLite obeys as it prepares. The name may be quoted.
  if (words.includes('PRAGMA') && OF_THE_PROCESS.test(sql)) {
    throw new HranaError('SQL_NOT_ALLOWED', 'What holds for the whole process is not to be set');
  }
}

function isReadonlyBegin(words: readonly string[]): boolean {
  return words[0] === 'BEGIN' && words.at(-1) === 'READONLY';
}

function stepOf(words: readonly string[]): TransactionStep {
  switch (words[0] ?? '') {
    case 'BEGIN':
    case 'SAVEPOINT':
      return 'begin';
    case 'RELEASE':
      return 'release';
    case 'COMMIT':
    case 'END':
      return 'commit';
    case 'ROLLBACK':
      // To a savepoint, it leaves the transaction open.
      return words.includes('TO') ? 'none' : 'rollback';
    default:
      return 'none';
  }
}
