// A stream of a client: one connection, the texts that it has stored, what it has changed since
// that was last told.

import { HranaError } from '../errors.ts';
import type { SqlSource } from '../protocol.ts';
import type { Connection, PreparedStatement } from './connection.ts';

/** Drivers store each text of a transaction, and keep 30 of them. */
const STORED_COUNT_MAX = 1024;

export class Stream {
  readonly connection: Connection;
  readonly tellsReads: boolean;
  readonly stored: Map<number, string> = new Map();
  /** The client has closed it: what comes after that in the pipeline is refused. */
  isClosed = false;
  /** Something may have been written that no answer has told of. */
  hasWritten = false;
  /** The transaction began as one that only reads. */
  isReading = false;
  /** Since the transaction began a statement was executed in it. */
  hasBeenUsed = false;

  constructor(connection: Connection, tellsReads: boolean) {
    this.connection = connection;
    this.tellsReads = tellsReads;
  }

  store(sqlId: number, sql: string): void {
    if (this.stored.size >= STORED_COUNT_MAX) {
      throw new HranaError('HRANA_MALFORMED', `More than ${STORED_COUNT_MAX} texts are stored`);
    }
    this.stored.set(sqlId, sql);
  }

  /** Throws HranaError. */
  textOf({ sql, sqlId }: SqlSource): string {
    const text = sql ?? this.stored.get(sqlId!);
    if (text !== undefined) return text;
    throw new HranaError('SQL_NOT_STORED', `There is no stored text with number ${sqlId}`);
  }

  /** To be called before each statement. Throws HranaError. */
  check({ isReadonly }: PreparedStatement): void {
    // One that fails may have written before.
    if (!isReadonly) this.hasWritten = true;
    if (!this.connection.inTransaction) [this.isReading, this.hasBeenUsed] = [false, false];
    if (isReadonly || !this.isReading) return;
    throw new HranaError(
      'SQL_NOT_ALLOWED',
      'The transaction was begun for reading: BEGIN READONLY',
    );
  }

  /** To be called after each that was executed. */
  executed({ step }: PreparedStatement): void {
    if (step === 'begin-readonly') this.isReading = true;
    // A savepoint within a transaction leaves its locks as they are.
    if (step === 'none') this.hasBeenUsed = true;
  }
}
