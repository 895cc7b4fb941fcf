// CREATE EXTERNAL TABLE, DataFusion's statement, as Seafowl has it: a file somewhere else that is a
// table in `staging` until the process ends or it is dropped.
//
// CREATE [OR REPLACE] EXTERNAL TABLE [IF NOT EXISTS] name [(column type, …)]
//   STORED AS CSV | PARQUET | JSON LOCATION 'url' [OPTIONS (key 'value', …)]
//
// A CSV file has no header unless OPTIONS say so: a row that is taken for names is lost in silence,
// names that are taken for a row are seen. (Seafowl's releases did the same, its nightly builds
// not.) What DataFusion has and this does not is refused, not ignored.

import { LakeError } from '../engine/errors.ts';
import { DECIMAL_DEFAULT } from './rewrite.ts';
import { TokenCursor } from './token-cursor.ts';
import { isSymbol, isWord, type Token } from './tokens.ts';

export interface ExternalTable {
  readonly name: string;
  readonly isIfNotExists: boolean;
  readonly isReplace: boolean;
  readonly format: 'csv' | 'parquet' | 'json';
  readonly location: string;
  /** In the order of the file; undefined when the file says them. */
  readonly columns: readonly ExternalColumn[] | undefined;
  /** Keys in lower case, without DataFusion's prefix `format.`. */
  readonly options: ReadonlyMap<string, string>;
}

export interface ExternalColumn {
  readonly name: string;
  /** A type of DuckDB. */
  readonly type: string;
}

const STAGING = 'staging';

export function isExternalTable(tokens: readonly Token[]): boolean {
  const first = isWord(tokens[1], 'or') ? 3 : 1;
  return isWord(tokens[0], 'create') && isWord(tokens[first], 'external', 'unbounded');
}

/** Throws LAKE_PARSE or LAKE_PLAN. */
export function parseExternalTable(tokens: readonly Token[]): ExternalTable {
  const cursor = new TokenCursor(tokens);
  cursor.words('create');
  const isReplace = cursor.tryWords('or', 'replace');
  cursor.words('external', 'table');
  const isIfNotExists = cursor.tryWords('if', 'not', 'exists');
  const name = stagingName(cursor.qualifiedName('the name of the table'));
  const columns = cursor.trySymbol('(') ? parseColumns(cursor) : undefined;
  let format: ExternalTable['format'] | undefined;
  let location: string | undefined;
  let options: ReadonlyMap<string, string> = new Map();
  while (!cursor.isAtEnd) {
    if (cursor.tryWords('stored', 'as')) format = parseFormat(cursor.name('a format'));
    else if (cursor.tryWords('location')) location = cursor.string('a location in quotes');
    else if (cursor.tryWords('options')) options = parseOptions(cursor);
    else throw oldForm(cursor);
  }
  if (format === undefined) throw cursor.unexpected('STORED AS');
  if (location === undefined) throw cursor.unexpected('LOCATION');
  return { name, isIfNotExists, isReplace, format, location, columns, options };
}

/** `name`, `staging.name`. */
function stagingName(parts: readonly string[]): string {
  const [table, schema, ...rest] = parts.toReversed();
  if (rest.length > 0 || (schema !== undefined && schema.toLowerCase() !== STAGING)) {
    throw new LakeError(
      'plan',
      'LAKE_PLAN',
      'Can only create external tables in the staging schema',
    );
  }
  return table!;
}

function parseFormat(name: string): ExternalTable['format'] {
  const format = name.toLowerCase();
  if (format === 'csv' || format === 'parquet' || format === 'json') return format;
  if (format === 'ndjson') return 'json';
  throw new LakeError(
    'plan',
    'LAKE_PLAN',
    `External tables are stored as CSV, PARQUET or JSON, not as ${name}`,
  );
}

function parseColumns(cursor: TokenCursor): ExternalColumn[] {
  const columns: ExternalColumn[] = [];
  do {
    const name = cursor.name('the name of a column');
    columns.push({ name, type: parseType(cursor) });
    // Accepted as Seafowl does: what a file has is not known before it is read.
    if (!cursor.tryWords('not', 'null')) cursor.tryWords('null');
  } while (cursor.trySymbol(','));
  cursor.symbol(')');
  return columns;
}

/** Types of DataFusion's grammar, by the names that DuckDB has for them. */
const TYPES: Readonly<Record<string, string>> = {
  bigint: 'BIGINT',
  blob: 'BLOB',
  bool: 'BOOLEAN',
  boolean: 'BOOLEAN',
  bytea: 'BLOB',
  char: 'VARCHAR',
  character: 'VARCHAR',
  date: 'DATE',
  decimal: 'DECIMAL',
  double: 'DOUBLE',
  float: 'FLOAT',
  int: 'INTEGER',
  int2: 'SMALLINT',
  int4: 'INTEGER',
  int8: 'BIGINT',
  integer: 'INTEGER',
  json: 'JSON',
  numeric: 'DECIMAL',
  real: 'FLOAT',
  smallint: 'SMALLINT',
  string: 'VARCHAR',
  text: 'VARCHAR',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  tinyint: 'TINYINT',
  uuid: 'UUID',
  varchar: 'VARCHAR',
};

function parseType(cursor: TokenCursor): string {
  const name = cursor.name('a type');
  const type = TYPES[name];
  if (type === undefined) throw new LakeError('plan', 'LAKE_PLAN', `Unknown type ${name}`);
  if (name === 'double') cursor.tryWords('precision');
  if (name === 'character') cursor.tryWords('varying');
  const digits = parseDigits(cursor);
  if (type === 'DECIMAL') return `DECIMAL${digits === '' ? DECIMAL_DEFAULT : digits}`;
  if (cursor.tryWords('unsigned')) return type === 'INTEGER' ? 'UINTEGER' : `U${type}`;
  if (type === 'TIMESTAMP' && cursor.tryWords('with', 'time', 'zone')) return 'TIMESTAMPTZ';
  cursor.tryWords('without', 'time', 'zone');
  return cursor.trySymbol('[') ? arrayType(cursor, type) : type;
}

function arrayType(cursor: TokenCursor, type: string): string {
  cursor.symbol(']');
  return `${type}[]`;
}

/** `(38, 10)`; of other types the length says nothing. */
function parseDigits(cursor: TokenCursor): string {
  if (!cursor.trySymbol('(')) return '';
  const numbers: number[] = [];
  do {
    numbers.push(Number(cursor.take().value));
  } while (cursor.trySymbol(','));
  cursor.symbol(')');
  if (!numbers.every((number) => Number.isInteger(number))) throw cursor.unexpected('digits');
  return `(${numbers.join(', ')})`;
}

/** `(key value, 'key' 'value', key = value)`: pairs, with commas or without. */
function parseOptions(cursor: TokenCursor): Map<string, string> {
  const options = new Map<string, string>();
  cursor.symbol('(');
  while (!cursor.trySymbol(')')) {
    let key = cursor.take().value;
    while (cursor.trySymbol('.')) key += `.${cursor.take().value}`;
    cursor.trySymbol('=');
    const value = cursor.take();
    if (isSymbol(value, ')') || isSymbol(value, ',')) throw cursor.unexpected(`a value of ${key}`);
    options.set(key.toLowerCase().replace(/^format\./, ''), value.value);
    cursor.trySymbol(',');
  }
  return options;
}

function oldForm(cursor: TokenCursor): LakeError {
  const isOld = isWord(cursor.next, 'with', 'delimiter', 'compression', 'partitioned');
  return isOld
    ? new LakeError(
        'parse',
        'LAKE_PARSE',
        `${cursor.next!.value.toUpperCase()} is not supported: use OPTIONS (has_header true, …)`,
      )
    : cursor.unexpected('STORED AS, LOCATION or OPTIONS');
}
