// The HTTP server of SQL: listens, hands pipelines to the handler, ends.
//
//   POST /v2/pipeline, /db/NAME/v2/pipeline    requests of Hrana 2, as JSON
//   GET  /v2, /db/NAME/v2                      that the version is known
//   GET  /health                               that the server answers, and what its node is
//
// It must not run in the process that serves the mount: what it reads comes through it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { isServed, type Target, targetOf } from './database-names.ts';
import { HranaError, SqlServerError } from './errors.ts';
import { type Answer, errorAnswer, jsonAnswer, sendAnswer } from './front/answers.ts';
import { PipelineHandler } from './front/pipeline-handler.ts';
import { createGuard, type Guard } from './guard.ts';
import {
  type HostAndPort,
  resolveSqlOptions,
  type ResolvedSqlOptions,
  type SqlServerOptions,
} from './options.ts';

export interface SqlServer {
  readonly address: AddressInfo;
  /** The processes that execute SQL now. */
  readonly workerPids: readonly number[];
  /** Streams that clients hold. */
  readonly streamCount: number;
  /** No new requests; those under way have a while. All transactions that are open roll back. */
  close(): Promise<void>;
}

/** Connections between two requests of a client. */
const IDLE_MS = 30_000;
const HEADERS_MS = 10_000;
/** A body that does not come. */
const REQUEST_MS = 60_000;

/** Starts to listen. Throws SqlServerError for an address that is taken. */
export async function startSqlServer(given: SqlServerOptions): Promise<SqlServer> {
  const options = resolveSqlOptions(given);
  const { limits, token, address } = options;
  const server = createServer({
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  await listen(server, address);
  const handler = new PipelineHandler(options);
  const door = new Door(options, handler, createGuard(token));
  server.on('request', (request, response) => door.admit(request, response));
  let closing: Promise<void> | undefined;
  return {
    address: server.address() as AddressInfo,
    get workerPids() {
      return handler.workerPids;
    },
    get streamCount() {
      return handler.streamCount;
    },
    close: () => (closing ??= close(server, handler, limits.closeMs)),
  };
}

class Door {
  readonly #options: ResolvedSqlOptions;
  readonly #handler: PipelineHandler;
  readonly #guard: Guard;

  constructor(options: ResolvedSqlOptions, handler: PipelineHandler, guard: Guard) {
    this.#options = options;
    this.#handler = handler;
    this.#guard = guard;
  }

  admit(request: IncomingMessage, response: ServerResponse): void {
    try {
      const target = targetOf(request.url!.split('?', 1)[0]!, this.#options.database);
      const answer = this.#answerAtOnce(request, target);
      if (answer !== undefined) return refuse(request, response, answer);
      this.#guard(request.headers);
      this.#receive(request, response, this.#databaseOf(target));
    } catch (error) {
      if (!(error instanceof HranaError)) throw error;
      refuse(request, response, errorAnswer(error));
    }
  }

  /** What needs no token. */
  #answerAtOnce({ method }: IncomingMessage, { kind }: Target): Answer | undefined {
    if (kind === 'unknown') throw new HranaError('SQL_NOT_FOUND', 'There is nothing at this path');
    const expected = kind === 'pipeline' ? 'POST' : 'GET';
    if (method !== expected && !(method === 'HEAD' && expected === 'GET')) {
      throw new HranaError('SQL_NOT_FOUND', `The path knows ${expected} alone`);
    }
    const { role } = this.#options.view;
    if (kind === 'health') return jsonAnswer(200, { status: 'ok', role });
    return kind === 'version' ? jsonAnswer(200, { version: 2 }) : undefined;
  }

  #databaseOf(target: Target): string {
    const database = 'database' in target ? target.database : undefined;
    if (database === undefined) {
      const message = 'There is no default database: name one, as in /db/app.db/v2/pipeline';
      throw new HranaError('SQL_DATABASE_NOT_FOUND', message);
    }
    if (isServed(database, this.#options)) return database;
    throw new HranaError('SQL_DATABASE_NOT_FOUND', 'There is no such database here');
  }

  #receive(request: IncomingMessage, response: ServerResponse, database: string): void {
    const { bodyBytes } = this.#options.limits;
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= bodyBytes) chunks.push(chunk);
      else if (!response.headersSent) refuse(request, response, tooLarge(bodyBytes));
    });
    // Whoever breaks off has not asked for anything.
    request.on('error', () => {});
    request.on('end', () => {
      if (sizeBytes > bodyBytes) return;
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      void this.#execute(request, response, { database, body });
    });
  }

  async #execute(
    { headers }: IncomingMessage,
    response: ServerResponse,
    what: { readonly database: string; readonly body: Buffer },
  ): Promise<void> {
    try {
      const isGone = (): boolean => response.destroyed;
      sendAnswer(response, await this.#handler.handle({ headers, ...what, isGone }));
    } catch (error) {
      // A bug: the connection ends rather than wait for ever, and the log says why.
      this.#options.log.error('A request failed in the SQL server', { error: String(error) });
      response.destroy();
    }
  }
}

function tooLarge(bytes: number): Answer {
  return errorAnswer(new HranaError('SQL_TOO_LARGE', `The body has more than ${bytes} bytes`));
}

/** What has not been read would be taken for the next request. */
function refuse(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (!request.complete) response.setHeader('Connection', 'close');
  sendAnswer(response, answer);
  request.resume();
}

function listen(server: Server, { host, port }: HostAndPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      const hint = cause.code === 'EADDRINUSE' ? 'Choose another port: sql.address' : undefined;
      const message = `Cannot listen on ${shown}: ${cause.code}`;
      reject(new SqlServerError('SQL_LISTEN', message, { cause, hint }));
    };
    server.once('error', fail);
    server.listen(host === '' ? { port } : { host, port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

async function close(server: Server, handler: PipelineHandler, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(timer);
  await handler.close();
}
