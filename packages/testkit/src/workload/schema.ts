// The tables of a random workload, and the statements that change them. Each statement comes with
// the schema after it, so that a ROLLBACK can go back to an earlier one.

import type { SeededRandom } from '../seeded-random.ts';
import type { SqlValue } from '../sqlite/sql-value.ts';

export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

export interface Table {
  readonly name: string;
  /** Besides `id`, the integer key of every table. */
  readonly columns: readonly string[];
  readonly indexes: readonly string[];
  /** Whether SQLite finds a key for a row that comes without one. */
  readonly hasRowid: boolean;
}

export interface Schema {
  readonly tables: readonly Table[];
  /** Numbers the names; it only grows, also over a ROLLBACK, so that no name means two things. */
  readonly nextNumber: number;
}

export interface SchemaChange extends Statement {
  readonly schema: Schema;
}

export const EMPTY_SCHEMA: Schema = { tables: [], nextNumber: 1 };

const TABLE_COUNT_MAX = 6;
const COLUMN_COUNT_MAX = 6;
const INDEX_COUNT_MAX = 3;

export function createTable(random: SeededRandom, schema: Schema): SchemaChange {
  const name = `t${schema.nextNumber}`;
  const columns = ['a', 'b', 'c', 'd'].slice(0, random.int(1, 4));
  const types = columns.map((column) => `${column} ${random.pick(['', 'TEXT', 'BLOB', 'REAL'])}`);
  const [key, options, hasRowid] = random.pick([
    ['id INTEGER PRIMARY KEY', '', true],
    ['id INTEGER PRIMARY KEY AUTOINCREMENT', '', true],
    ['id INTEGER PRIMARY KEY', ' WITHOUT ROWID', false],
  ] as const);
  const table: Table = { name, columns, indexes: [], hasRowid };
  return {
    sql: `CREATE TABLE ${name} (${[key, ...types].join(', ')})${options}`,
    params: [],
    schema: { tables: [...schema.tables, table], nextNumber: schema.nextNumber + 1 },
  };
}

/** Any change of the schema that is possible now. */
export function changeSchema(random: SeededRandom, schema: Schema): SchemaChange {
  if (schema.tables.length === 0) return createTable(random, schema);
  const table = random.pick(schema.tables);
  const changes = [
    schema.tables.length < TABLE_COUNT_MAX && (() => createTable(random, schema)),
    schema.tables.length > 2 && (() => dropTable(schema, table)),
    table.indexes.length < INDEX_COUNT_MAX && (() => createIndex(random, schema, table)),
    table.indexes.length > 0 && (() => dropIndex(random, schema, table)),
    table.columns.length < COLUMN_COUNT_MAX && (() => addColumn(random, schema, table)),
    () => renameTable(schema, table),
  ];
  const possible = changes.filter((change) => change !== false);
  return random.pick(possible)();
}

function dropTable(schema: Schema, table: Table): SchemaChange {
  const tables = schema.tables.filter((other) => other !== table);
  return { sql: `DROP TABLE ${table.name}`, params: [], schema: { ...schema, tables } };
}

function createIndex(random: SeededRandom, schema: Schema, table: Table): SchemaChange {
  const name = `i${schema.nextNumber}`;
  const column = random.pick(table.columns);
  const definition = random.pick([
    column,
    `${column}, id DESC`,
    `${column}) WHERE (id % 3 = 0`,
    `length(${column})`,
  ]);
  const changed = { ...table, indexes: [...table.indexes, name] };
  return {
    sql: `CREATE INDEX ${name} ON ${table.name} (${definition})`,
    params: [],
    schema: { ...replaceTable(schema, table, changed), nextNumber: schema.nextNumber + 1 },
  };
}

function dropIndex(random: SeededRandom, schema: Schema, table: Table): SchemaChange {
  const index = random.pick(table.indexes);
  const changed = { ...table, indexes: table.indexes.filter((other) => other !== index) };
  return {
    sql: `DROP INDEX ${index}`,
    params: [],
    schema: replaceTable(schema, table, changed),
  };
}

function addColumn(random: SeededRandom, schema: Schema, table: Table): SchemaChange {
  const column = `x${schema.nextNumber}`;
  const definition = random.pick([column, `${column} TEXT DEFAULT 'none'`]);
  const changed = { ...table, columns: [...table.columns, column] };
  return {
    sql: `ALTER TABLE ${table.name} ADD COLUMN ${definition}`,
    params: [],
    schema: { ...replaceTable(schema, table, changed), nextNumber: schema.nextNumber + 1 },
  };
}

function renameTable(schema: Schema, table: Table): SchemaChange {
  const name = `t${schema.nextNumber}`;
  return {
    sql: `ALTER TABLE ${table.name} RENAME TO ${name}`,
    params: [],
    schema: {
      ...replaceTable(schema, table, { ...table, name }),
      nextNumber: schema.nextNumber + 1,
    },
  };
}

function replaceTable(schema: Schema, table: Table, changed: Table): Schema {
  const tables = schema.tables.map((other) => (other === table ? changed : other));
  return { ...schema, tables };
}
