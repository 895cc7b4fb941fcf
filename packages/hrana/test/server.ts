// A server of SQL for one test, over a plain folder, and a node of which the test says what it is.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import { onTestEnd, RecordingLog, tempDir } from '@skein/testkit';
import BetterSqlite3, { type Database } from 'better-sqlite3';

import { type NodeChange, NodeView } from '../src/node-view.ts';
import type { SqlServerOptions } from '../src/options.ts';
import { type SqlServer, startSqlServer } from '../src/start-sql-server.ts';

/** Has no end; to be closed, with or without one. */
export const COUNTING = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c';

export interface TestServer {
  readonly url: string;
  readonly folder: string;
  readonly view: NodeView;
  readonly server: SqlServer;
  readonly log: RecordingLog;
  /** The same database, by another connection. */
  readonly connect: (name?: string) => Database;
}

export interface TestServerOptions extends Partial<
  Pick<SqlServerOptions, 'token' | 'database' | 'databases' | 'limits'>
> {
  readonly name?: string;
  /** One that two servers share. */
  readonly folder?: string;
  readonly change?: NodeChange;
}

export async function startTestServer(
  t: TestContext,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { name = 'node1', folder = tempDir(t), change = { role: 'primary', epoch: 7 } } = options;
  const view = new NodeView(name);
  view.update(change);
  const log = new RecordingLog();
  const server = await startSqlServer({
    address: { host: '127.0.0.1', port: 0 },
    folder,
    token: options.token,
    database: 'database' in options ? options.database : 'app.db',
    databases: options.databases,
    view,
    log,
    limits: options.limits ?? {},
  });
  onTestEnd(t, () => server.close());
  const connect = (database = 'app.db'): Database => {
    const connection = new BetterSqlite3(`${folder}/${database}`);
    onTestEnd(t, () => void connection.close());
    return connection;
  };
  return { url: `http://127.0.0.1:${server.address.port}`, folder, view, server, log, connect };
}

export interface PipelineAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly baton: string | null;
    readonly results: readonly Result[];
    readonly message?: string;
    readonly code?: string;
  };
}

/** A result of Hrana, as loosely as tests read it. */
export interface Result {
  readonly type: 'ok' | 'error';
  readonly response?: {
    readonly type: string;
    readonly result?: Record<string, unknown>;
    readonly is_autocommit?: boolean;
  };
  readonly error?: { readonly message: string; readonly code: string };
}

export interface PipelineOptions {
  readonly path?: string;
  readonly baton?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends requests of Hrana as they are. */
export async function pipeline(
  url: string,
  requests: readonly unknown[],
  { path = '/v2/pipeline', baton, headers = {} }: PipelineOptions = {},
): Promise<PipelineAnswer> {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ ...(baton === undefined ? {} : { baton }), requests }),
  });
  const body = (await response.json()) as PipelineAnswer['body'];
  return { status: response.status, headers: response.headers, body };
}

export function execute(sql: string, args: readonly unknown[] = []): unknown {
  return { type: 'execute', stmt: { sql, args } };
}

export const CLOSE = { type: 'close' };

/** The result of a request that has to have worked. */
export function resultOf({ body }: PipelineAnswer, index = 0): Record<string, unknown> {
  const { type, response, error } = body.results[index]!;
  assert.equal(type, 'ok', JSON.stringify(error));
  return response!.result!;
}
