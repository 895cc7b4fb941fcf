// What the server can be told, and what it does when it is not.

import type { Log } from '@skein/host';

import type { NodeView } from './node-view.ts';

export interface HostAndPort {
  /** Without brackets; the empty string is every interface. */
  readonly host: string;
  readonly port: number;
}

export interface SqlLimits {
  /** Processes that execute SQL: as many statements run at once. */
  readonly workers: number;
  /** A statement, and what is executed with it in one request. */
  readonly statementMs: number;
  /** What a statement waits for a lock. */
  readonly busyMs: number;
  /** A stream that nobody goes on with; its transaction holds up others for so long. */
  readonly streamIdleMs: number;
  readonly streams: number;
  /** Of the body of a request. */
  readonly bodyBytes: number;
  /** Of the answer to one. */
  readonly responseBytes: number;
  readonly rows: number;
  readonly connections: number;
  /** Requests that wait for a worker. What waits for a position or a primary has a connection. */
  readonly waiters: number;
  /** How long a read waits for this node to have what its client has seen. */
  readonly waitMs: number;
  /** How long a write waits for a primary. */
  readonly primaryWaitMs: number;
  /** A connection to the primary that does not come about. */
  readonly connectMs: number;
  /** What close() lets requests under way have. */
  readonly closeMs: number;
}

export const DEFAULT_SQL_LIMITS: SqlLimits = {
  // Some 50 MB each; they start as they are needed.
  workers: 4,
  statementMs: 30_000,
  // As better-sqlite3 and most drivers have it.
  busyMs: 5000,
  // As Turso's server has it: long enough for a program that thinks between two statements.
  streamIdleMs: 10_000,
  streams: 256,
  // A row may have 1 GB in SQLite; a request with a picture or two has room.
  bodyBytes: 16 * 1024 * 1024,
  responseBytes: 32 * 1024 * 1024,
  rows: 100_000,
  connections: 2048,
  waiters: 1024,
  waitMs: 1000,
  primaryWaitMs: 5000,
  connectMs: 5000,
  closeMs: 2000,
};

export interface SqlServerOptions {
  /** Where to listen; port 0 is any. */
  readonly address: HostAndPort;
  /** Where the databases are: the mount, which this process must not serve. */
  readonly folder: string;
  /** What callers have to show, here and at the primary; undefined: nothing. */
  readonly token: string | undefined;
  /** The database of `/v2/pipeline`; undefined: a path has to name one. */
  readonly database: string | undefined;
  /** Those that are served; undefined: all. What is named here is made by its first write. */
  readonly databases: readonly string[] | undefined;
  readonly view: NodeView;
  readonly log: Log;
  readonly limits?: Partial<SqlLimits>;
}

/** Options with nothing left out. */
export interface ResolvedSqlOptions extends SqlServerOptions {
  readonly limits: SqlLimits;
}

export function resolveSqlOptions(options: SqlServerOptions): ResolvedSqlOptions {
  return { ...options, limits: { ...DEFAULT_SQL_LIMITS, ...options.limits } };
}
