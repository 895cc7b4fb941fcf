// What goes wrong in a client, told in the same words whatever the driver.

/** Primary result codes by number: https://sqlite.org/rescode.html */
const PRIMARY_CODES: readonly string[] = (
  'OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL ' +
  'CANTOPEN PROTOCOL EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB'
).split(' ');

/** SQLite refused. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  /** Primary code: "SQLITE_BUSY". */
  readonly code: string;
  /** As the driver told it: "SQLITE_BUSY_SNAPSHOT" where it knows, else the primary code again. */
  readonly extendedCode: string;

  constructor(extendedCode: string, message: string) {
    super(message);
    this.extendedCode = extendedCode;
    this.code = /^SQLITE_[A-Z]+/.exec(extendedCode)?.[0] ?? extendedCode;
  }
}

/** The client process is gone, or did not answer in time and was killed. */
export class SqliteClientError extends Error {
  override readonly name = 'SqliteClientError';
  readonly code: 'CLIENT_EXITED' | 'CLIENT_TIMEOUT';

  constructor(code: SqliteClientError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The name of a result code; an extended one is told by its primary part, its low byte. */
export function sqliteCodeName(code: number): string {
  const name = PRIMARY_CODES[code & 0xff];
  return name === undefined ? `SQLITE_${code}` : `SQLITE_${name}`;
}
