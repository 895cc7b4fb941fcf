// The history behind HTTP, one process a node, as an application behind its proxy:
//
//   GET  /read                   200 { node, count, digest, tally }
//   POST /write?value=7          201 { node }; 409 where the database may not be written
//
//   node history-app.ts --database FILE --node NAME --host HOST --port PORT

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { HISTORY_READ, HISTORY_WRITE, parseGlimpse } from '@skein/testkit';

const BUSY_TIMEOUT_MS = 10_000;
const SQLITE_READONLY = 8;

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: '' },
    node: { type: 'string', default: '' },
    host: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
  },
});
const { node } = values;

/**
 * A connection for each request: one that outlives its node, which an application that the node
 * runs does not, would go on to read pages that the kernel has kept (docs/guarantees.md).
 */
function withDatabase<Result>(work: (database: DatabaseSync) => Result): Result {
  // Never makes a file: where the mount has just gone it would be one of the folder below.
  const uri = `${pathToFileURL(values.database).href}?mode=rw`;
  const database = new DatabaseSync(uri, { timeout: BUSY_TIMEOUT_MS });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function read(database: DatabaseSync): object {
  const statement = database.prepare(HISTORY_READ);
  statement.setReturnArrays(true);
  return parseGlimpse(statement.get() as unknown as unknown[]);
}

function write(database: DatabaseSync, value: number): void {
  database.exec('BEGIN IMMEDIATE');
  database.prepare(HISTORY_WRITE[0]).run(value);
  database.exec(HISTORY_WRITE[1]);
  database.exec('COMMIT');
}

function answer(request: IncomingMessage): { readonly status: number; readonly body: object } {
  const url = new URL(request.url ?? '', 'http://app');
  if (request.method === 'GET' && url.pathname === '/read') {
    return { status: 200, body: withDatabase(read) };
  }
  if (request.method !== 'POST' || url.pathname !== '/write') return { status: 404, body: {} };
  withDatabase((database) => write(database, Number(url.searchParams.get('value'))));
  return { status: 201, body: {} };
}

function answerOf(error: unknown): { readonly status: number; readonly body: object } {
  const { errcode = 0, message } = error as Error & { errcode?: number };
  const isReadOnly = (errcode & 0xff) === SQLITE_READONLY;
  return { status: isReadOnly ? 409 : 500, body: { error: message } };
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  let result;
  try {
    result = answer(request);
  } catch (error) {
    result = answerOf(error);
  }
  response.writeHead(result.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ node, ...result.body }));
}

const server = createServer(serve);
server.listen(Number(values.port), values.host, () => process.send?.('listening'));
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
