// A file into a table, in one transaction: made with the file's columns if it is new, else the
// file's columns go to those of the same name, cast to their types; columns that the file lacks
// become NULL, columns that the table lacks are left out. A file that has none of the table's
// columns is for another table, or lacks its header: it is refused.

import type { DuckDBConnection } from '@duckdb/node-api';

import { columnsOfArrowSchema } from '../sql/arrow-schema.ts';
import { csvArguments } from '../sql/csv-dialect.ts';
import { LAKE_CATALOG } from '../sql/targets.ts';
import { quoteName, quoteText } from '../sql/token-cursor.ts';
import { LakeError } from './errors.ts';
import { FUNCTIONS_SCHEMA } from './functions/stored-functions.ts';
import type { Execution, IngestFile, TableName } from './ports.ts';
import { queryTexts } from './query-texts.ts';
import { transact, updateInliningSoon, wholeExecution, type WriteContext } from './run-write.ts';

interface Column {
  readonly name: string;
  readonly type: string;
}

/** The file has to lie in the scratch folder: DuckDB may read nowhere else. */
export function ingestFile(
  context: WriteContext,
  file: IngestFile,
  target: TableName,
): Promise<Execution> {
  checkTarget(target);
  const { serving } = context;
  const { writer } = serving;
  return context.queue.run(async () => {
    let isNew = false;
    const rowsChanged = await transact(context, undefined, async () => {
      const columns = await columnsOf(writer, target);
      isNew = columns.length === 0;
      context.config.onStep?.('write.statement');
      return isNew
        ? createFrom(writer, file, target)
        : appendFrom(writer, file, { target, columns });
    });
    if (isNew) updateInliningSoon(context);
    return wholeExecution(context, { result: undefined, rowsChanged });
  }, context.closing);
}

function checkTarget({ schema }: TableName): void {
  if (schema.toLowerCase() === 'staging') {
    throw new LakeError(
      'plan',
      'LAKE_PLAN',
      'The staging schema can only be referenced via CREATE EXTERNAL TABLE',
    );
  }
  if (/^(?:system|information_schema)$/i.test(schema) || schema === FUNCTIONS_SCHEMA) {
    throw new LakeError('forbidden', 'LAKE_FORBIDDEN', `The schema ${schema} is not for clients`);
  }
}

async function createFrom(
  connection: DuckDBConnection,
  file: IngestFile,
  target: TableName,
): Promise<number> {
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${LAKE_CATALOG}.${quoteName(target.schema)}`);
  const source = await sourceOf(connection, file);
  return count(connection, `CREATE TABLE ${nameOf(target)} AS ${source}`);
}

async function appendFrom(
  connection: DuckDBConnection,
  file: IngestFile,
  into: { readonly target: TableName; readonly columns: readonly Column[] },
): Promise<number> {
  const source = await sourceOf(connection, file);
  const found = await describe(connection, source);
  const sources = new Map(found.map(({ name }) => [name.toLowerCase(), quoteName(name)]));
  if (!into.columns.some(({ name }) => sources.has(name.toLowerCase()))) {
    throw noneInCommon(found, into);
  }
  const values = into.columns.map(({ name, type }) => {
    const value = sources.get(name.toLowerCase()) ?? 'NULL';
    return `CAST(${value} AS ${type}) AS ${quoteName(name)}`;
  });
  return count(
    connection,
    `INSERT INTO ${nameOf(into.target)} SELECT ${values.join(', ')} FROM (${source})`,
  );
}

function noneInCommon(
  found: readonly Column[],
  { target, columns }: { readonly target: TableName; readonly columns: readonly Column[] },
): LakeError {
  const namesOf = (all: readonly Column[]): string => all.map(({ name }) => name).join(', ');
  return new LakeError(
    'plan',
    'LAKE_PLAN',
    `No column of the file (${namesOf(found)}) is one of ${target.table} (${namesOf(columns)})`,
  );
}

/** SELECT text. A CSV file without header and schema has columns column_1, column_2, … */
async function sourceOf(connection: DuckDBConnection, file: IngestFile): Promise<string> {
  const path = quoteText(file.path);
  if (file.format === 'parquet') return `SELECT * FROM read_parquet(${path})`;
  const hasHeader = file.hasHeader ?? true;
  const options = [path, ...csvArguments({ hasHeader })];
  if (file.schema !== undefined) {
    const columns = columnsOfArrowSchema(file.schema).map(
      ({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`,
    );
    const known = [`columns = {${columns.join(', ')}}`, 'auto_detect = false'];
    return `SELECT * FROM read_csv(${[...options, ...known].join(', ')})`;
  }
  const reader = `SELECT * FROM read_csv(${options.join(', ')})`;
  if (hasHeader) return reader;
  const names = (await describe(connection, reader)).map(
    ({ name }, index) => `${quoteName(name)} AS column_${index + 1}`,
  );
  return `SELECT ${names.join(', ')} FROM (${reader})`;
}

function nameOf({ schema, table }: TableName): string {
  return `${LAKE_CATALOG}.${quoteName(schema)}.${quoteName(table)}`;
}

async function columnsOf(connection: DuckDBConnection, target: TableName): Promise<Column[]> {
  const rows = await queryTexts(
    connection,
    `SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = '${LAKE_CATALOG}'
       AND lower(schema_name) = lower($1) AND lower(table_name) = lower($2) ORDER BY column_index`,
    [target.schema, target.table],
  );
  return toColumns(rows);
}

async function describe(connection: DuckDBConnection, source: string): Promise<Column[]> {
  return toColumns(await queryTexts(connection, `DESCRIBE ${source}`));
}

function toColumns(rows: readonly (readonly string[])[]): Column[] {
  return rows.map(([name, type]) => ({ name: name!, type: type! }));
}

async function count(connection: DuckDBConnection, sql: string): Promise<number> {
  const [row] = await queryTexts(connection, sql);
  return Number(row?.[0] ?? 0);
}
