// What a caller is told instead of a result, and what keeps the server from starting.

import { CodedError } from '@skein/bytes';

/** SQLite's own codes stand for themselves: SQLITE_CONSTRAINT, SQLITE_BUSY. */
export type HranaErrorCode =
  /** The request is none of Hrana 2. */
  | 'HRANA_MALFORMED'
  /** The token is missing or wrong. */
  | 'SQL_UNAUTHORIZED'
  /** A page of another site asks, or one that goes by another name. */
  | 'SQL_FORBIDDEN'
  /** There is nothing at this path. */
  | 'SQL_NOT_FOUND'
  /** There is no such database, or it is not among those that are served. */
  | 'SQL_DATABASE_NOT_FOUND'
  /** The body of the request is too large. */
  | 'SQL_TOO_LARGE'
  /** There is no more room for what a statement returns. */
  | 'RESPONSE_TOO_LARGE'
  /** A stream that has ended: its transaction was rolled back. */
  | 'STREAM_EXPIRED'
  /** No further stream can be opened. */
  | 'STREAMS_FULL'
  /** A text without a statement. */
  | 'SQL_NO_STATEMENT'
  /** A text with several, where one belongs. */
  | 'SQL_MANY_STATEMENTS'
  /** A statement that reaches beyond the database. */
  | 'SQL_NOT_ALLOWED'
  /** A number of a text that was never stored. */
  | 'SQL_NOT_STORED'
  /** Arguments that do not fit the parameters. */
  | 'ARGS_INVALID'
  /** A statement took too long. */
  | 'SQL_TIMEOUT'
  /** The server is about to end, or its workers do not start. */
  | 'SQL_UNAVAILABLE'
  /** The node is behind what its client has seen. */
  | 'SQL_BEHIND'
  /** A write on a node that is not the primary, and may not pass it on. */
  | 'NOT_PRIMARY'
  /** A write while no primary is known. */
  | 'NO_PRIMARY'
  /** It may have been executed. */
  | 'OUTCOME_UNKNOWN';

/** A refusal of one request of a pipeline, or of all of it. */
export class HranaError extends Error {
  override readonly name = 'HranaError';
  readonly code: HranaErrorCode;

  constructor(code: HranaErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type SqlServerErrorCode =
  /** The address cannot be listened on. */
  'SQL_LISTEN';

/** The server could not start. */
export class SqlServerError extends CodedError<SqlServerErrorCode> {
  override readonly name = 'SqlServerError';
}
