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
let database: DatabaseSync | undefined;

function opened(): DatabaseSync {
  // Never makes a file: where the mount has just gone it would be one of the folder below.
  const uri = `${pathToFileURL(values.database).href}?mode=rw`;
  database ??= new DatabaseSync(uri, { timeout: BUSY_TIMEOUT_MS });
  return database;
}

function read(): object {
  const statement = opened().prepare(HISTORY_READ);
  statement.setReturnArrays(true);
  return parseGlimpse(statement.get() as unknown as unknown[]);
}

function write(value: number): void {
  opened().exec('BEGIN IMMEDIATE');
  opened().prepare(HISTORY_WRITE[0]).run(value);
  opened().exec(HISTORY_WRITE[1]);
  opened().exec('COMMIT');
}

function answer(request: IncomingMessage): { readonly status: number; readonly body: object } {
  const url = new URL(request.url ?? '', 'http://app');
  if (request.method === 'GET' && url.pathname === '/read') return { status: 200, body: read() };
  if (request.method !== 'POST' || url.pathname !== '/write') return { status: 404, body: {} };
  write(Number(url.searchParams.get('value')));
  return { status: 201, body: {} };
}

function answerOf(error: unknown): { readonly status: number; readonly body: object } {
  // Its files are gone when the node was restarted: the next request opens them anew.
  database?.close();
  database = undefined;
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
