// A SQLite client that obeys JSON lines (see json-protocol.ts), on better-sqlite3 or node:sqlite:
// the driver is the only argument. Run as a process of its own.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';

import type { OpenOptions } from './client-protocol.ts';
import type { JsonRequest, JsonResponse } from './json-protocol.ts';
import { decodeSqlValue, encodeSqlValue, type JsonSqlValue, type SqlValue } from './sql-value.ts';
import { sqliteCodeName } from './sqlite-error.ts';

interface Connection {
  query(sql: string, params: readonly SqlValue[]): SqlValue[][];
  close(): void;
}

/** The part of better-sqlite3 that is used here; it brings no types. */
interface BetterSqlite {
  prepare(sql: string): {
    readonly reader: boolean;
    safeIntegers(): void;
    raw(): void;
    all(...params: readonly SqlValue[]): SqlValue[][];
    run(...params: readonly SqlValue[]): void;
  };
  close(): void;
}

type BetterSqliteConstructor = new (
  path: string,
  options: { readonly readonly: boolean; readonly timeout: number },
) => BetterSqlite;

const DRIVERS: Record<string, (request: OpenOptions) => Connection> = {
  'better-sqlite3': openBetterSqlite,
  'node-sqlite': openNodeSqlite,
};

function openBetterSqlite({ path, isReadOnly, busyTimeoutMs }: OpenOptions): Connection {
  const require = createRequire(import.meta.url);
  const Database = require('better-sqlite3') as BetterSqliteConstructor;
  const database = new Database(path, { readonly: isReadOnly, timeout: busyTimeoutMs });
  return {
    query: (sql, params) => {
      const statement = database.prepare(sql);
      if (!statement.reader) {
        statement.run(...params);
        return [];
      }
      statement.safeIntegers();
      statement.raw();
      return statement.all(...params);
    },
    close: () => database.close(),
  };
}

function openNodeSqlite({ path, isReadOnly, busyTimeoutMs }: OpenOptions): Connection {
  const database = new DatabaseSync(path, { readOnly: isReadOnly, timeout: busyTimeoutMs });
  return {
    query: (sql, params) => {
      const statement = database.prepare(sql);
      // This driver would leave a second statement out without a word.
      const rest = sql.slice(statement.sourceSQL.length);
      if (rest.trim() !== '') throw new RangeError(`More than one statement: ${rest}`);
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      return statement.all(...params) as unknown as SqlValue[][];
    },
    close: () => database.close(),
  };
}

/** Integers as bigints: as numbers both drivers could bind them as REAL. */
function decodeParameter(value: JsonSqlValue): SqlValue {
  const decoded = decodeSqlValue(value);
  return Number.isSafeInteger(decoded) ? BigInt(decoded as number) : decoded;
}

let connection: Connection | undefined;

function perform(request: JsonRequest): SqlValue[][] {
  switch (request.command) {
    case 'open':
      connection = DRIVERS[process.argv[2]!]!(request);
      return [];
    case 'exec':
      return connection!.query(request.sql, request.params.map(decodeParameter));
    case 'close':
      connection!.close();
      return [];
    default:
      throw new TypeError('Unknown command');
  }
}

function answer(request: JsonRequest): JsonResponse {
  try {
    return { rows: perform(request).map((row) => row.map(encodeSqlValue)) };
  } catch (error) {
    const { code, errcode, message } = error as Error & { code?: string; errcode?: number };
    // better-sqlite3 names the code, node:sqlite numbers it; neither does so for misuse.
    const name = errcode === undefined ? code : sqliteCodeName(errcode);
    return { error: { code: name ?? 'SQLITE_MISUSE', message } };
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as JsonRequest))}\n`);
});
