// SQLite's numbers and their names (https://www.sqlite.org/rescode.html, c3ref/c_alter_table.html).
// They never change.

/** Primary result codes, from 0. */
const RESULTS: readonly string[] = (
  'OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND ' +
  'FULL CANTOPEN PROTOCOL EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT ' +
  'RANGE NOTADB'
).split(' ');

/** Extended codes that ORMs tell apart. */
const EXTENDED: Readonly<Record<number, string>> = {
  261: 'SQLITE_BUSY_RECOVERY',
  517: 'SQLITE_BUSY_SNAPSHOT',
  773: 'SQLITE_BUSY_TIMEOUT',
  275: 'SQLITE_CONSTRAINT_CHECK',
  531: 'SQLITE_CONSTRAINT_COMMITHOOK',
  787: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  1043: 'SQLITE_CONSTRAINT_FUNCTION',
  1299: 'SQLITE_CONSTRAINT_NOTNULL',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  1811: 'SQLITE_CONSTRAINT_TRIGGER',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
  2323: 'SQLITE_CONSTRAINT_VTAB',
  2579: 'SQLITE_CONSTRAINT_ROWID',
  2835: 'SQLITE_CONSTRAINT_PINNED',
  3091: 'SQLITE_CONSTRAINT_DATATYPE',
};

/** The extended name where ORMs know it, else that of the primary code. */
export function nameOfResult(code: number): string {
  return EXTENDED[code] ?? `SQLITE_${RESULTS[code & 0xff] ?? 'ERROR'}`;
}

/**
 * Action codes that an authorizer is asked about and that change nothing: PRAGMA, READ, SELECT,
 * TRANSACTION, ATTACH, DETACH, FUNCTION, SAVEPOINT, RECURSIVE, and what is made in the database of
 * temporary tables.
 */
const READING: ReadonlySet<number> = new Set([
  3, 4, 5, 6, 12, 13, 14, 15, 19, 20, 21, 22, 24, 25, 31, 32, 33,
]);

/** Whether a statement that asks for this action may change the database. */
export function isWriteAction(action: number): boolean {
  return !READING.has(action);
}
