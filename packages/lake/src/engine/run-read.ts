// A request that only reads: its last statement, streamed from a pinned snapshot.

import type { DuckDBPreparedStatement } from '@duckdb/node-api';

import { type Statement, withIndex } from '../sql/analyze.ts';
import type { Deadline } from './deadline.ts';
import { LakeError } from './errors.ts';
import { StreamedExecution } from './executions.ts';
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
    return await tryRead(serving, request);
  } catch (error) {
    if (!isOutdated(error)) throw error;
    serving.pins.bump();
    return tryRead(serving, request);
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

async function tryRead(serving: Serving, request: ReadRequest): Promise<Execution> {
  const pin = await serving.pins.acquire(request.deadline.signal);
  let statement: DuckDBPreparedStatement | undefined;
  try {
    for (const [index, each] of request.statements.entries()) {
      statement?.destroySync();
      statement = await prepareRead(serving, pin, { statement: each, index, request });
    }
    const prepared = statement!;
    const { deadline, position, translate } = request;
    const { connection } = pin;
    const result = await deadline.guard(connection, () => prepared.stream());
    const first = await deadline.guard(connection, () => result.fetchChunk());
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
    throw withIndex(translateError(error, request.translate), request.statements.length - 1);
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
        checked: { plans: serving.checked, schemaVersion },
      }),
    );
  } catch (error) {
    throw withIndex(translateError(error, request.translate), index);
  }
}
