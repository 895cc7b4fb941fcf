// Functions that run in a transaction, as better-sqlite3 makes them: nested ones are savepoints.

import { OutcomeUnknownError, SkeinError } from '../errors.ts';
import type { SkeinDatabase, TransactionFunction, TransactionMode } from './shape.ts';

/** A name that nobody else gives a savepoint. */
const SAVEPOINT = '"skein nested"';

interface Steps {
  readonly begin: string;
  readonly commit: string;
  readonly undo: readonly string[];
}

const NESTED: Steps = {
  begin: `SAVEPOINT ${SAVEPOINT}`,
  commit: `RELEASE ${SAVEPOINT}`,
  undo: [`ROLLBACK TO ${SAVEPOINT}`, `RELEASE ${SAVEPOINT}`],
};

export function createTransactionFunction<A extends unknown[], R>(
  database: SkeinDatabase,
  body: (...args: A) => R,
): TransactionFunction<A, R> {
  const variant =
    (mode: TransactionMode) =>
    (...args: A): R =>
      runTransaction(database, mode, () => body(...args));
  const byDefault = variant(database.transactionMode);
  return Object.assign((...args: A): R => byDefault(...args), {
    default: byDefault,
    deferred: variant('DEFERRED'),
    immediate: variant('IMMEDIATE'),
    exclusive: variant('EXCLUSIVE'),
  });
}

function runTransaction<R>(database: SkeinDatabase, mode: TransactionMode, work: () => R): R {
  const { begin, commit, undo } = database.inTransaction
    ? NESTED
    : { begin: `BEGIN ${mode}`, commit: 'COMMIT', undo: ['ROLLBACK'] };
  beginBy(database, begin);
  try {
    const result = work();
    if (isPromise(result)) {
      throw new SkeinError('DATABASE_MISUSE', 'A transaction function cannot return a promise', {
        hint: 'Everything in it has to be done when it returns',
      });
    }
    database.prepare(commit).run();
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors.
    for (const step of undo) if (database.inTransaction) database.prepare(step).run();
    throw error;
  }
}

function beginBy(database: SkeinDatabase, begin: string): void {
  try {
    database.prepare(begin).run();
  } catch (error) {
    // Nothing is committed by that, whatever the disk says.
    throw error instanceof OutcomeUnknownError ? error.cause : error;
  }
}

function isPromise(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
