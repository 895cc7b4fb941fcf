// The statements of a random workload that change rows. All values are literals, parameters or
// functions of the row: nothing depends on time, chance or the machine.

import type { SeededRandom } from '../seeded-random.ts';
import type { SqlValue } from '../sqlite/sql-value.ts';
import type { Statement, Table } from './schema.ts';

/** Keys come from a small range, so that rows meet each other. */
const KEY_MAX = 2000;
const BULK_ROWS_MAX = 400;

const WORDS = 'goose skein wake flight leader north wing wind flock feather'.split(' ');

export function changeRows(random: SeededRandom, table: Table): Statement {
  const kinds = [insertRow, insertRow, insertMany, replaceRow, updateRows, deleteRows, readRows];
  return random.bool(0.02) ? deleteAll(table) : random.pick(kinds)(random, table);
}

/** Enough rows to make a transaction larger than a small page cache. */
export function insertMany(random: SeededRandom, table: Table): Statement {
  const count = random.int(2, BULK_ROWS_MAX);
  const key = table.hasRowid && random.bool(0.7) ? 'NULL' : `i * 7 % ${KEY_MAX}`;
  const values = table.columns.map(() =>
    random.pick([
      'i',
      `i * ${random.int(1, 9)} / 4.0`,
      `printf('%0*d', i % ${random.int(2, 300)}, i)`,
      `zeroblob(i % ${random.int(2, 600)})`,
      `replace(hex(zeroblob(${random.int(1, 90)})), '00', char(97 + i % 26))`,
    ]),
  );
  return {
    sql:
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) ` +
      `INSERT OR IGNORE INTO ${table.name} SELECT ${[key, ...values].join(', ')} FROM n`,
    params: [count],
  };
}

function insertRow(random: SeededRandom, table: Table): Statement {
  const key = table.hasRowid && random.bool() ? null : random.int(1, KEY_MAX);
  return insert(table, 'INSERT', [key, ...table.columns.map(() => randomValue(random))]);
}

function replaceRow(random: SeededRandom, table: Table): Statement {
  const values = [random.int(1, KEY_MAX), ...table.columns.map(() => randomValue(random))];
  if (random.bool()) return insert(table, 'INSERT OR REPLACE', values);
  const { sql, params } = insert(table, 'INSERT', values);
  const [column] = table.columns;
  return { sql: `${sql} ON CONFLICT (id) DO UPDATE SET ${column} = excluded.${column}`, params };
}

function insert(table: Table, verb: string, params: readonly SqlValue[]): Statement {
  const marks = params.map(() => '?').join(', ');
  return { sql: `${verb} INTO ${table.name} VALUES (${marks})`, params };
}

function updateRows(random: SeededRandom, table: Table): Statement {
  const column = random.pick(table.columns);
  const [change, ...params] = random.pick([
    ['?', randomValue(random)],
    [`printf('%s-%d', substr(quote(${column}), 1, 40), id)`],
    [`zeroblob(id % 900)`],
  ] as const);
  const modulus = random.int(1, 20);
  return {
    sql: `UPDATE ${table.name} SET ${column} = ${change} WHERE id % ? = ?`,
    params: [...params, modulus, random.int(0, modulus - 1)],
  };
}

function deleteRows(random: SeededRandom, table: Table): Statement {
  const modulus = random.int(2, 10);
  return {
    sql: `DELETE FROM ${table.name} WHERE id % ? = ?`,
    params: [modulus, random.int(0, modulus - 1)],
  };
}

function deleteAll(table: Table): Statement {
  return { sql: `DELETE FROM ${table.name}`, params: [] };
}

function readRows(random: SeededRandom, table: Table): Statement {
  const column = random.pick(table.columns);
  return {
    sql: `SELECT id, ${column} FROM ${table.name} WHERE id > ? ORDER BY ${column}, id LIMIT 5`,
    params: [random.int(0, KEY_MAX)],
  };
}

function randomValue(random: SeededRandom): SqlValue {
  return random.pick<() => SqlValue>([
    () => null,
    () => random.int(-1000, 1000),
    () => BigInt(random.uint32()) * BigInt(random.int(-(2 ** 31), 2 ** 31 - 1)),
    () => random.fraction(),
    () => randomText(random),
    () => random.bytes(random.int(0, 200)),
    // Larger than most pages: overflow chains.
    () => random.bytes(random.int(1000, 9000)),
  ])();
}

export function randomText(random: SeededRandom): string {
  return Array.from({ length: random.int(0, 12) }, () => random.pick(WORDS)).join(' ');
}
