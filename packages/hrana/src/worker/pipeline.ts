// Executes the requests of a pipeline on a stream, one after the other, as Hrana says: a request
// that fails is answered with its error, and the next one is executed all the same.
//
// Invariant: it never waits inside of SQLite. Where a lock is held it yields, and whoever runs it
// resumes it later, until there is no more time; then SQLITE_BUSY is what SQLite said.

import { HranaError } from '../errors.ts';
import type { BatchStep, Condition, SqlSource, Statement, StreamRequest } from '../protocol.ts';
import { statementsOf } from '../sql-text.ts';
import type { PreparedStatement } from './connection.ts';
import { type Budget, columnsOf, executeStatement } from './results.ts';
import type { Stream } from './stream.ts';

/** What a pipeline waits for. */
export type Waiting = 'locked';

/** A long computation that gives way to others where it would have to wait. */
export type Steps<T> = Generator<Waiting, T>;

export interface PipelineOptions {
  readonly stream: Stream;
  readonly budget: Budget;
  /** Whether there is still time to wait for a lock. */
  readonly mayWait: () => boolean;
}

/** The results, as the inside of a list in JSON. */
export function* runPipeline(
  requests: readonly StreamRequest[],
  options: PipelineOptions,
): Steps<string> {
  const results: string[] = [];
  for (const request of requests) {
    try {
      const response = yield* runRequest(request, options);
      results.push(`{"type":"ok","response":{"type":"${request.type}"${response}}}`);
    } catch (error) {
      results.push(`{"type":"error","error":${errorOf(error)}}`);
    }
  }
  return results.join(',');
}

/** What a response has beside its type, with a comma before it. */
function* runRequest(request: StreamRequest, options: PipelineOptions): Steps<string> {
  const { stream } = options;
  if (stream.isClosed) throw new HranaError('STREAM_EXPIRED', 'The stream is closed');
  switch (request.type) {
    case 'execute':
      return `,"result":${yield* runStatement(request.statement, options)}`;
    case 'batch':
      return `,"result":${yield* runBatch(request.steps, options)}`;
    case 'sequence':
      yield* runSequence(request, options);
      return '';
    case 'describe':
      return `,"result":${describe(stream.connection.prepare(stream.textOf(request)))}`;
    case 'store_sql':
      stream.store(request.sqlId, request.sql);
      return '';
    case 'close_sql':
      stream.stored.delete(request.sqlId);
      return '';
    case 'get_autocommit':
      return `,"is_autocommit":${!stream.connection.inTransaction}`;
    case 'close':
      stream.isClosed = true;
      return '';
  }
}

function* runBatch(steps: readonly BatchStep[], options: PipelineOptions): Steps<string> {
  const results: string[] = [];
  const errors: string[] = [];
  for (const { condition, statement } of steps) {
    let [result, error] = ['null', 'null'];
    const isAutocommit = (): boolean => !options.stream.connection.inTransaction;
    if (condition === undefined || isMet(condition, { results, errors, isAutocommit })) {
      try {
        result = yield* runStatement(statement, options);
      } catch (thrown) {
        error = errorOf(thrown);
      }
    }
    results.push(result);
    errors.push(error);
  }
  return `{"step_results":[${results.join(',')}],"step_errors":[${errors.join(',')}]}`;
}

interface StepOutcomes {
  /** "null" for what was not executed, or failed. */
  readonly results: readonly string[];
  readonly errors: readonly string[];
  readonly isAutocommit: () => boolean;
}

function isMet(condition: Condition, outcomes: StepOutcomes): boolean {
  switch (condition.type) {
    case 'ok':
      return outcomes.results[condition.step] !== 'null';
    case 'error':
      return outcomes.errors[condition.step] !== 'null';
    case 'not':
      return !isMet(condition.cond, outcomes);
    case 'and':
      return condition.conds.every((each) => isMet(each, outcomes));
    case 'or':
      return condition.conds.some((each) => isMet(each, outcomes));
    case 'is_autocommit':
      return outcomes.isAutocommit();
  }
}

/** Statements one after the other, up to the first that fails. */
function* runSequence(source: SqlSource, options: PipelineOptions): Steps<void> {
  for (const sql of statementsOf(options.stream.textOf(source))) {
    yield* runStatement(
      { sql, sqlId: undefined, args: [], namedArgs: [], wantsRows: false },
      options,
    );
  }
}

function* runStatement(statement: Statement, options: PipelineOptions): Steps<string> {
  const { stream, budget, mayWait } = options;
  const sql = stream.textOf(statement);
  for (;;) {
    const waitsInVain = isWaitingInVain(stream);
    let mayCommit = false;
    let isCommit = false;
    try {
      const prepared = stream.connection.prepare(sql);
      isCommit = prepared.step === 'commit' || prepared.step === 'release';
      mayCommit = isCommit || (!prepared.isReadonly && !stream.connection.inTransaction);
      stream.check(prepared);
      const result = executeStatement(stream.connection, prepared, statement, budget);
      stream.executed(prepared);
      return result;
    } catch (error) {
      stream.connection.noteError(error);
      // COMMIT waits for readers to leave, whatever it holds itself.
      const isWorthWaiting = !waitsInVain || isCommit;
      if (isLocked(error) && isWorthWaiting && mayWait()) yield 'locked';
      else throw mayCommit && isBroken(error) ? outcomeUnknown(error) : error;
    }
  }
}

/**
 * A mount whose daemon dies is a broken disk to SQLite. What it was told to commit may be in the
 * daemon's log all the same.
 */
function isBroken(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && code.startsWith('SQLITE_IOERR');
}

function outcomeUnknown(error: unknown): HranaError {
  const { message } = error as Error;
  return new HranaError('OUTCOME_UNKNOWN', `It is not known whether it was committed: ${message}`);
}

/**
 * Who has used a transaction holds a lock, which may be what the one waits for that is waited for:
 * SQLite does not wait there either.
 */
function isWaitingInVain({ connection, hasBeenUsed }: Stream): boolean {
  return connection.inTransaction && hasBeenUsed;
}

/** A snapshot that is not the newest any more never becomes so by waiting. */
function isLocked(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'SQLITE_BUSY' || code === 'SQLITE_BUSY_RECOVERY' || code === 'SQLITE_LOCKED';
}

function describe(prepared: PreparedStatement): string {
  const { parameters, statement, isExplain, isReadonly } = prepared;
  const names = parameters.map((name) => {
    return `{"name":${name === undefined || name === '?' ? 'null' : JSON.stringify(name)}}`;
  });
  const columns = statement.reader ? columnsOf(prepared) : '[]';
  const kind = `"is_explain":${isExplain},"is_readonly":${isReadonly}`;
  return `{"params":[${names.join(',')}],"cols":${columns},${kind}}`;
}

/**
 * SQLite's words stay as they are, since ORMs read them. Drivers compare the code with the first
 * word of the extended one: SQLITE_CONSTRAINT of SQLITE_CONSTRAINT_UNIQUE.
 */
export function errorOf(error: unknown): string {
  const { message, code } = error as { readonly message: string; readonly code?: string };
  // What better-sqlite3 says of arguments that SQLite does not take.
  if (error instanceof RangeError) return JSON.stringify({ message, code: 'ARGS_INVALID' });
  if (typeof code !== 'string') throw error;
  if (!code.startsWith('SQLITE_')) return JSON.stringify({ message, code });
  const primary = code.split('_', 2).join('_');
  return JSON.stringify({ message, code: primary, extended_code: code });
}
