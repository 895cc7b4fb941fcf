// A request that only reads: its last statement, streamed from a pinned snapshot.

import type { DuckDBPreparedStatement, DuckDBResult } from '@duckdb/node-api';

import { type Statement, withIndex } from '../sql/analyze.ts';
import type { Deadline } from './deadline.ts';
import { LakeError } from './errors.ts';
import { assertWhole, SilentFailure, StreamedExecution, WholeExecution } from './executions.ts';
import type { PinnedConnection } from './pinned-connections.ts';
import type { ExecuteOptions, Execution, Snapshot } from './ports.ts';
import { prepareStatement } from './run-statement.ts';
import type { Serving } from './serving.ts';
import { translateError, type TranslateOptions } from './translate-error.ts';

export interface ReadRequest {
  readonly statements: readonly Statement[];
  readonly options: ExecuteOptions;
  readonly deadline: Deadline;
  readonly position: (snapshot: Snapshot) => string;
  readonly translate: TranslateOptions;
}

/** Throws LakeError. */
export async function runRead(serving: Serving, request: ReadRequest): Promise<Execution> {
  try {
    return await tryRead(serving, request, 'streamed');
  } catch (error) {
    // A stream that fails has no word for it; the same query as a whole has.
    if (error instanceof SilentFailure) return tryRead(serving, request, 'whole');
    if (!isOutdated(error)) throw error;
    serving.pins.bump();
    return tryRead(serving, request, 'streamed');
  }
}

/**
 * The extension keeps in memory which tables of the catalog hold inlined rows: within an older
 * snapshot it can look for one that is not there yet, or not any more. A new transaction knows.
 */
function isOutdated(error: unknown): boolean {
  return (
    error instanceof LakeError &&
    (error.message.includes('__ducklake_metadata') || error.message.includes('from DuckLake'))
  );
}

async function tryRead(
  serving: Serving,
  request: ReadRequest,
  form: 'streamed' | 'whole',
): Promise<Execution> {
  const pin = await serving.pins.acquire(request.deadline.signal);
  const short = maybeShort(serving, pin, request);
  if (short !== undefined) return runShort(pin, short, request);
  let statement: DuckDBPreparedStatement | undefined;
  try {
    await pin.optimize(true);
    for (const [index, each] of request.statements.entries()) {
      statement?.destroySync();
      statement = await prepareRead(serving, pin, { statement: each, index, request });
    }
    const prepared = statement!;
    const { deadline, position, translate } = request;
    const { connection } = pin;
    const result: DuckDBResult = await deadline.guard(connection, () =>
      form === 'whole' ? prepared.run() : prepared.stream(),
    );
    const first = await deadline.guard(connection, () => result.fetchChunk());
    if (first === null || first.rowCount === 0) await assertWhole(connection);
    return new StreamedExecution({
      pin,
      statement: prepared,
      result,
      first,
      deadline,
      position: position(pin.snapshot),
      translate,
    });
  } catch (error) {
    statement?.destroySync();
    // A failed statement has ended the transaction, or it has not: the pin is made anew.
    pin.release(true);
    if (error instanceof SilentFailure) throw error;
    throw withIndex(translateError(error, request.translate), request.statements.length - 1);
  }
}

interface ShortQuery {
  readonly sql: string;
  /** Whether it is sooner run than optimized. */
  readonly isSmall: boolean;
}

/** A query that needs no check, and of which nothing has to be streamed. */
function maybeShort(
  { names, largeTables }: Serving,
  { snapshot }: PinnedConnection,
  { statements, options }: ReadRequest,
): ShortQuery | undefined {
  const [{ work }, ...more] = statements as readonly [Statement, ...Statement[]];
  if (work.type !== 'sql' || more.length > 0 || options.parameters !== undefined) return undefined;
  const { plain } = work;
  if (plain?.hasFewRows !== true) return undefined;
  if (!names.tellAll(plain.names, snapshot.schemaVersion)) return undefined;
  const id = names.maybeTableId(plain.names.tables[0] ?? '');
  const isSmall = plain.isOneScan && id !== undefined && !largeTables.has(id);
  return { sql: work.sql, isSmall };
}

/**
 * Runs it at once: DuckDB binds a prepared statement of the lake a second time when it runs, and
 * each time asks the catalog.
 */
async function runShort(
  pin: PinnedConnection,
  { sql, isSmall }: ShortQuery,
  { deadline, position, translate }: ReadRequest,
): Promise<Execution> {
  let isBroken = true;
  try {
    await pin.optimize(!isSmall);
    const result = await deadline.guard(pin.connection, () => pin.connection.run(sql));
    isBroken = false;
    deadline[Symbol.dispose]();
    const { snapshot } = pin;
    return new WholeExecution({
      result,
      rowsChanged: undefined,
      snapshot,
      position: position(snapshot),
    });
  } catch (error) {
    throw withIndex(translateError(error, translate), 0);
  } finally {
    pin.release(isBroken);
  }
}

interface ReadStep {
  readonly statement: Statement;
  readonly index: number;
  readonly request: ReadRequest;
}

async function prepareRead(
  serving: Serving,
  pin: PinnedConnection,
  step: ReadStep,
): Promise<DuckDBPreparedStatement> {
  const { statement, index, request } = step;
  const { work } = statement;
  if (work.type !== 'sql') throw new LakeError('plan', 'LAKE_PLAN', 'The statement does not read');
  const { schemaVersion } = pin.snapshot;
  try {
    return await request.deadline.guard(pin.connection, () =>
      prepareStatement(pin.connection, work, {
        parameters: request.options.parameters,
        mayWrite: false,
        checked: { plans: serving.checked, names: serving.names, schemaVersion },
      }),
    );
  } catch (error) {
    throw withIndex(translateError(error, request.translate), index);
  }
}
