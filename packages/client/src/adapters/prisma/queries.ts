// Queries of Prisma, executed on one connection.

import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils';

import type { SkeinDatabase, SkeinStatement, SqlValue } from '../../database/shape.ts';
import { columnTypesOf, fromSqlite, toSqlite } from './conversion.ts';
import { toPrismaError } from './errors.ts';

type SqlRow = readonly unknown[];

export function queryRaw(database: SkeinDatabase, query: SqlQuery): SqlResultSet {
  return inTermsOfPrisma(() => {
    const statement = prepare(database, query.sql);
    const args = argsOf(query);
    if (!statement.reader) {
      const { lastInsertRowid } = statement.run(args);
      return { columnNames: [], columnTypes: [], rows: [], lastInsertId: String(lastInsertRowid) };
    }
    const columns = statement.columns();
    const found = statement.raw().all(args) as SqlRow[];
    const columnTypes = columnTypesOf(
      columns.map(({ type }) => type),
      found,
    );
    const rows = found.map((row) => row.map((value, at) => fromSqlite(value, columnTypes[at]!)));
    return { columnNames: columns.map(({ name }) => name), columnTypes, rows };
  });
}

/** Returns how many rows were changed. */
export function executeRaw(database: SkeinDatabase, query: SqlQuery): number {
  return inTermsOfPrisma(() => prepare(database, query.sql).run(argsOf(query)).changes);
}

/** Whether a statement would change something, by SQLite's own verdict. */
export function isWrite(database: SkeinDatabase, sql: string): boolean {
  return inTermsOfPrisma(() => !database.prepare(sql).readonly);
}

export function inTermsOfPrisma<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toPrismaError(error);
  }
}

function prepare(database: SkeinDatabase, sql: string): SkeinStatement {
  // Columns of 64 bits are told apart by their values.
  return database.prepare(sql).safeIntegers();
}

function argsOf({ args, argTypes }: SqlQuery): SqlValue[] {
  return args.map((value, index) => {
    return toSqlite(value, argTypes[index] ?? { scalarType: 'unknown' });
  });
}
