// A request that writes: all of its statements in one transaction, in the queue.
//
// External tables are fetched before the queue, since that can take minutes, and are taken back if
// the request fails. DuckLake writes files before it commits, so that a crash leaves files that no
// snapshot names, never the reverse; maintenance removes them.

import type { DuckDBConnection, DuckDBMaterializedResult } from '@duckdb/node-api';

import { type SqlWork, type Statement, withIndex } from '../sql/analyze.ts';
import type { Deadline } from './deadline.ts';
import { LakeError } from './errors.ts';
import { WholeExecution } from './executions.ts';
import { fetchLocation } from './external/fetch-location.ts';
import { flushBeforeAlter, updateInlining } from './inlining.ts';
import { vacuum } from './maintenance.ts';
import type { EngineConfig, ExecuteOptions, Execution, Snapshot } from './ports.ts';
import { prepareStatement } from './run-statement.ts';
import type { Serving } from './serving.ts';
import { translateError, type TranslateOptions } from './translate-error.ts';
import type { WriteQueue } from './write-queue.ts';

/** Another program may write to the catalog too, although it should not. */
const TRIES_MAX = 5;

export interface WriteContext {
  readonly serving: Serving;
  readonly config: EngineConfig;
  readonly queue: WriteQueue;
  readonly closing: AbortSignal;
  readonly translate: TranslateOptions;
  readonly timeMs: () => number;
  readonly position: (snapshot: Snapshot) => string;
}

export interface WriteRequest {
  readonly statements: readonly Statement[];
  readonly options: ExecuteOptions;
  readonly deadline: Deadline;
}

interface Outcome {
  /** Rows of a last statement that reads. */
  readonly result: DuckDBMaterializedResult | undefined;
  readonly rowsChanged: number | undefined;
}

/** Throws LakeError with the index of the statement that failed; then nothing has happened. */
export async function runWrite(context: WriteContext, request: WriteRequest): Promise<Execution> {
  const undo = await stageTables(context, request);
  const signal = AbortSignal.any([request.deadline.signal, context.closing]);
  try {
    return await context.queue.run(() => writeInQueue(context, request), signal);
  } catch (error) {
    for (const each of undo.toReversed()) await each();
    throw error;
  }
}

/** All of its CREATE EXTERNAL TABLEs. Gives what undoes them. */
async function stageTables(
  context: WriteContext,
  request: WriteRequest,
): Promise<(() => Promise<void>)[]> {
  const { serving, config, timeMs } = context;
  const { staging, stager } = serving;
  const dropped = new Set<string>();
  const undo: (() => Promise<void>)[] = [];
  for (const [index, { work }] of request.statements.entries()) {
    if (work.type === 'drop-external') dropped.add(work.name.toLowerCase());
    if (work.type !== 'external-table') continue;
    const { table } = work;
    if (table.isIfNotExists && staging.has(table.name)) continue;
    try {
      staging.checkNew(table, dropped.has(table.name.toLowerCase()));
      const { signal } = request.deadline;
      const path = await fetchLocation(table, { config, signal, timeMs: timeMs() });
      undo.push(await staging.add(stager, table, path));
    } catch (error) {
      for (const each of undo.toReversed()) await each();
      request.deadline.check();
      throw withIndex(translateError(error, context.translate), index);
    }
  }
  return undo;
}

async function writeInQueue(context: WriteContext, request: WriteRequest): Promise<Execution> {
  const { serving } = context;
  const { statements } = request;
  const [first] = statements;
  if (first?.work.type === 'vacuum' && statements.length === 1) {
    await vacuum(serving.writer, first.work.table, { now: context.timeMs });
    serving.pins.bump();
    return wholeExecution(context, NOTHING);
  }
  await flushBeforeAlter(serving.writer, alteredTables(statements));
  const outcome = await transact(context, request.deadline, () => runAll(context, request));
  try {
    if (statements.some(({ work }) => work.type === 'sql' && work.isDefinition)) {
      updateInliningSoon(context);
    }
    await dropStaged(serving, statements);
  } catch (error) {
    // It is committed: what did not follow costs space or speed, and the answer is still yes.
    context.config.onError?.(error, 'the end of a write');
  }
  return wholeExecution(context, outcome);
}

/** In the queue, after a definition: before the next write, and after the answer to this one. */
export function updateInliningSoon({ queue, serving, config }: WriteContext): void {
  queue.follow(async () => {
    try {
      await updateInlining(serving.writer, config.maintenance.inlineRowsMax);
    } catch (error) {
      config.onError?.(error, 'the end of a write');
    }
  });
}

/** In the queue: the newest snapshot is the one that was made here. */
export async function wholeExecution(
  context: Pick<WriteContext, 'serving' | 'position'>,
  outcome: Outcome,
): Promise<Execution> {
  const pin = await context.serving.pins.acquire();
  pin.release(false);
  const { snapshot } = pin;
  return new WholeExecution({ ...outcome, snapshot, position: context.position(snapshot) });
}

/** Runs it between BEGIN and COMMIT, again if another program was in the way. In the queue. */
export async function transact<T>(
  context: Pick<WriteContext, 'serving' | 'config'>,
  deadline: Deadline | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const { serving, config } = context;
  const { writer, pins } = serving;
  for (let count = 1; ; count += 1) {
    deadline?.check();
    config.onStep?.('write.begin');
    await writer.run('BEGIN TRANSACTION');
    try {
      const outcome = await run();
      deadline?.check();
      config.onStep?.('write.commit');
      // Not interrupted: nobody could say whether it has happened.
      await writer.run('COMMIT');
      config.onStep?.('write.committed');
      return outcome;
    } catch (error) {
      await rollBack(writer);
      if (count === TRIES_MAX || !isForeignWrite(error)) throw error;
    } finally {
      pins.bump();
    }
  }
}

/** A failed COMMIT has ended the transaction already. */
async function rollBack(connection: DuckDBConnection): Promise<void> {
  await connection.run('ROLLBACK').catch(() => undefined);
}

function isForeignWrite(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /database is locked|Transaction conflict|conflicting/i.test(text);
}

async function runAll(context: WriteContext, request: WriteRequest): Promise<Outcome> {
  const { statements } = request;
  let outcome: Outcome = { result: undefined, rowsChanged: undefined };
  for (const [index, statement] of statements.entries()) {
    context.config.onStep?.('write.statement');
    try {
      outcome = await runOne(context, request, statement);
    } catch (error) {
      throw withIndex(translateError(error, context.translate), index);
    }
  }
  return outcome;
}

async function runOne(
  context: WriteContext,
  request: WriteRequest,
  statement: Statement,
): Promise<Outcome> {
  const { serving } = context;
  const { writer, functions } = serving;
  const { deadline } = request;
  const { work } = statement;
  switch (work.type) {
    case 'sql':
      return runSql(context, request, { work, isRead: statement.isRead });
    case 'external-table':
      return NOTHING;
    case 'drop-external':
      if (!work.isIfExists && !serving.staging.has(work.name)) throw missingTable(work.name);
      return NOTHING;
    case 'vacuum':
      throw new LakeError('plan', 'LAKE_PLAN', 'VACUUM has to be the only statement of a request');
    case 'create-function':
      await deadline.guard(writer, () => functions.create(writer, work.definition));
      return NOTHING;
    case 'drop-function':
      await deadline.guard(writer, () => dropFunctions(serving, work.removal));
      return NOTHING;
  }
}

const NOTHING: Outcome = { result: undefined, rowsChanged: undefined };

async function runSql(
  context: WriteContext,
  request: WriteRequest,
  step: { readonly work: SqlWork; readonly isRead: boolean },
): Promise<Outcome> {
  const { writer } = context.serving;
  const { deadline, options } = request;
  return deadline.guard(writer, async () => {
    const { parameters } = options;
    const prepared = await prepareStatement(writer, step.work, { parameters, mayWrite: true });
    try {
      const result = await prepared.run();
      if (step.isRead) return { result, rowsChanged: undefined };
      return { result: undefined, rowsChanged: await rowsChangedOf(result) };
    } finally {
      prepared.destroySync();
    }
  });
}

/** DuckLake gives the number as a row. */
async function rowsChangedOf(result: DuckDBMaterializedResult): Promise<number | undefined> {
  if (result.columnCount !== 1 || result.columnName(0) !== 'Count') return undefined;
  const [row] = await result.getRows();
  return typeof row?.[0] === 'bigint' ? Number(row[0]) : undefined;
}

async function dropFunctions(
  serving: Serving,
  removal: { readonly names: readonly string[]; readonly isIfExists: boolean },
): Promise<void> {
  const { writer, functions } = serving;
  for (const name of removal.names) {
    if (await functions.tryDrop(writer, name)) continue;
    const ifExists = removal.isIfExists ? 'IF EXISTS ' : '';
    await writer.run(`DROP MACRO ${ifExists}"${name.replaceAll('"', '""')}"`);
  }
}

function alteredTables(statements: readonly Statement[]): Set<string> {
  return new Set(
    statements.flatMap(({ work }) =>
      work.type === 'sql' && work.altered !== undefined ? [work.altered.toLowerCase()] : [],
    ),
  );
}

async function dropStaged(serving: Serving, statements: readonly Statement[]): Promise<void> {
  const made = new Set<string>();
  for (const { work } of statements.toReversed()) {
    if (work.type === 'external-table') made.add(work.table.name.toLowerCase());
    if (work.type !== 'drop-external' || made.has(work.name.toLowerCase())) continue;
    await serving.staging.remove(serving.stager, work.name);
  }
}

function missingTable(name: string): LakeError {
  return new LakeError('plan', 'LAKE_PLAN', `Table "${name}" doesn't exist`);
}
