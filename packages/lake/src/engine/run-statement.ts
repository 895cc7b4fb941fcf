// One statement of a client, checked and begun on a connection.
//
// The order matters: names were looked at before (analyze.ts), now DuckDB binds the statement and
// says what kind it is and what it would do; only then it runs.

import {
  type DuckDBConnection,
  type DuckDBPreparedStatement,
  StatementType,
} from '@duckdb/node-api';

import type { SqlWork } from '../sql/analyze.ts';
import { checkPlan } from '../sql/check-plan.ts';
import { forbidden } from '../sql/check-text.ts';
import type { CatalogNames } from './catalog-names.ts';
import { bindParameters, toValues } from './parameters.ts';
import type { ExecuteOptions } from './ports.ts';

const READS: ReadonlySet<StatementType> = new Set([StatementType.SELECT, StatementType.EXPLAIN]);
const WRITES: ReadonlySet<StatementType> = new Set([
  ...READS,
  StatementType.INSERT,
  StatementType.UPDATE,
  StatementType.DELETE,
  StatementType.MERGE_INTO,
  StatementType.CREATE,
  StatementType.CREATE_FUNC,
  StatementType.DROP,
  StatementType.ALTER,
  StatementType.COPY,
]);

/** Plans that were found harmless, so many; a plan changes with the schema only. */
const CHECKED_MAX = 2000;
const CHECKED_LENGTH_MAX = 10_000;

/** What was checked before, per version of the schema. */
export class CheckedPlans {
  readonly #texts = new Set<string>();
  #schemaVersion: bigint | undefined;

  has(sql: string, schemaVersion: bigint): boolean {
    return this.#schemaVersion === schemaVersion && this.#texts.has(sql);
  }

  add(sql: string, schemaVersion: bigint): void {
    if (this.#schemaVersion !== schemaVersion || this.#texts.size >= CHECKED_MAX) {
      this.#texts.clear();
    }
    this.#schemaVersion = schemaVersion;
    if (sql.length <= CHECKED_LENGTH_MAX) this.#texts.add(sql);
  }
}

/** What is known in a snapshot. */
export interface CheckedBefore {
  readonly plans: CheckedPlans;
  readonly names: CatalogNames;
  readonly schemaVersion: bigint;
}

export interface PrepareOptions {
  readonly parameters: ExecuteOptions['parameters'];
  readonly mayWrite: boolean;
  /** Of reads in a known snapshot. */
  readonly checked?: CheckedBefore | undefined;
}

/** Ready to run, with its parameters. Throws LakeError or DuckDB's errors. */
export async function prepareStatement(
  connection: DuckDBConnection,
  work: SqlWork,
  options: PrepareOptions,
): Promise<DuckDBPreparedStatement> {
  const statement = await connection.prepare(work.sql);
  try {
    const allowed = options.mayWrite ? WRITES : READS;
    if (!allowed.has(statement.statementType)) {
      throw forbidden(
        `A statement of kind ${StatementType[statement.statementType]} is not allowed`,
      );
    }
    bindParameters(statement, options.parameters);
    await checkWork(connection, work, { ...options, count: statement.parameterCount });
    return statement;
  } catch (error) {
    statement.destroySync();
    throw error;
  }
}

/** To bind a statement twice takes as long as to run a small one. */
function isHarmless({ plain }: SqlWork, planSql: string, checked?: CheckedBefore): boolean {
  if (checked === undefined) return false;
  const { plans, names, schemaVersion } = checked;
  if (plain !== undefined && names.tellAll(plain.names, schemaVersion)) return true;
  return plans.has(planSql, schemaVersion);
}

async function checkWork(
  connection: DuckDBConnection,
  work: SqlWork,
  options: PrepareOptions & { readonly count: number },
): Promise<void> {
  const { planSql } = work;
  const { checked, parameters, count } = options;
  if (planSql === undefined || isHarmless(work, planSql, checked)) return;
  const values = count === 0 || parameters === undefined ? undefined : toValues(parameters);
  const result = await connection.run(`EXPLAIN (FORMAT JSON) ${planSql}`, values);
  const rows = await result.getRowsJson();
  for (const [, text] of rows) {
    if (typeof text !== 'string') throw forbidden('The plan of the statement is unreadable');
    checkPlan(text, { mayReadStaging: work.mayReadStaging });
  }
  if (rows.length === 0) throw forbidden('The plan of the statement is unreadable');
  // Which external tables there are changes without a new schema.
  if (!work.mayReadStaging) checked?.plans.add(planSql, checked.schemaVersion);
}
