// Statements that are one transaction at the primary, sent as one request.

import {
  type HranaBatchStep,
  type HranaServer,
  sendPipeline,
  toSqliteError,
} from './send-pipeline.ts';
import {
  fromHranaResult,
  type QueryResult,
  type SqlArguments,
  toHranaStatement,
} from './values.ts';

export interface BatchStatement {
  readonly sql: string;
  readonly args?: SqlArguments;
}

export interface BatchOutcome {
  readonly results: readonly QueryResult[];
  /** Where the databases stand that were written. */
  readonly position: string | undefined;
}

/** Throws the error of the first statement that failed: then nothing has happened. */
export async function runRemoteBatch(
  server: HranaServer,
  statements: readonly BatchStatement[],
  mode: string,
): Promise<BatchOutcome> {
  const steps = stepsOf(statements, mode);
  const { results, position } = await sendPipeline(server, {
    requests: [{ type: 'batch', batch: { steps } }, { type: 'close' }],
  });
  const [result] = results;
  if (result?.type !== 'ok')
    throw toSqliteError(result?.error ?? { message: 'There is no result' });
  const { step_results: done, step_errors: errors } = result.response.result!;
  const error = errors.find((each) => each !== null);
  if (error) throw toSqliteError(error);
  // Without BEGIN and COMMIT.
  return {
    results: done.slice(1, 1 + statements.length).map((each) => fromHranaResult(each!)),
    position,
  };
}

/** Each step only after the one before it; and ROLLBACK where COMMIT did not come about. */
function stepsOf(statements: readonly BatchStatement[], mode: string): readonly HranaBatchStep[] {
  const steps: HranaBatchStep[] = [{ stmt: toHranaStatement(`BEGIN ${mode}`, []) }];
  for (const { sql, args = [] } of [...statements, { sql: 'COMMIT' }]) {
    const condition = { type: 'ok', step: steps.length - 1 } as const;
    steps.push({ stmt: toHranaStatement(sql, args), condition });
  }
  const cond = { type: 'ok', step: steps.length - 1 } as const;
  // Where BEGIN itself has failed so does this; the first error is the one that is told.
  steps.push({ stmt: toHranaStatement('ROLLBACK', []), condition: { type: 'not', cond } });
  return steps;
}
