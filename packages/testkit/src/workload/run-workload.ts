// Runs a workload in a client and writes down what came of each statement.

import { SqliteError } from '../sqlite/sqlite-error.ts';
import type { SqliteProcess } from '../sqlite/sqlite-process.ts';
import { encodeSqlValue, type JsonSqlValue } from '../sqlite/sql-value.ts';
import type { WorkloadStep } from './workload.ts';

/** Rows, or the code of the error: statements of a workload may run into constraints. */
export type WorkloadOutcome = readonly (readonly JsonSqlValue[])[] | string;

/** `afterStep` is called after each statement with its outcome and its number, from 0. */
export async function runWorkload(
  client: Pick<SqliteProcess, 'exec'>,
  steps: readonly WorkloadStep[],
  afterStep: (step: WorkloadStep, number: number) => void | Promise<void> = () => {},
): Promise<WorkloadOutcome[]> {
  const outcomes: WorkloadOutcome[] = [];
  for (const [number, step] of steps.entries()) {
    outcomes.push(await runStep(client, step));
    await afterStep(step, number);
  }
  return outcomes;
}

async function runStep(
  client: Pick<SqliteProcess, 'exec'>,
  { sql, params }: WorkloadStep,
): Promise<WorkloadOutcome> {
  try {
    const rows = await client.exec(sql, params);
    return rows.map((row) => row.map(encodeSqlValue));
  } catch (error) {
    if (error instanceof SqliteError) return error.code;
    throw error;
  }
}
