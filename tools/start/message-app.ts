// The application behind the demo, one process a node: messages over HTTP, in a database on the
// node's mount. It knows nothing of replication but its node's name, which it writes into each
// message, so that one sees who executed the write.
//
//   node message-app.ts --database FILE --node NAME --port PORT
//
// Tells its parent of each write, where it has one that listens.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';

import { MessageStore, ReplicaError } from './message-store.ts';

/** To the parent, by process.send(). */
export interface WriteNotice {
  readonly kind: 'write';
  readonly messageId: number;
  /** As the client named the server that it talked to: "localhost:8002". */
  readonly host: string | undefined;
}

export type AppNotice = { readonly kind: 'listening' } | WriteNotice;

const BODY_MAX_BYTES = 65_536;

/** What the client has to change. */
class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Handler = (request: IncomingMessage) => Answer | Promise<Answer>;

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: '' },
    node: { type: 'string', default: '' },
    port: { type: 'string', default: '0' },
  },
});
const { database: path, node: nodeName } = values;
const store = new MessageStore(path);

function health(): Answer {
  const common = { node_name: nodeName, database: path };
  try {
    const count = store.count();
    return { status: 200, body: { status: 'healthy', ...common, message_count: count } };
  } catch (error) {
    const status = `error: ${(error as Error).message}`;
    return { status: 200, body: { status, ...common, message_count: 0 } };
  }
}

function list(): Answer {
  const messages = store.list();
  return { status: 200, body: { node_name: nodeName, message_count: store.count(), messages } };
}

async function create(request: IncomingMessage): Promise<Answer> {
  const content = contentOf(await readBody(request));
  const createdAt = new Date().toISOString();
  const messageId = store.create({ content, nodeName, createdAt });
  notify({ kind: 'write', messageId, host: request.headers.host });
  const body = { success: true, message_id: messageId, content, node_name: nodeName };
  return { status: 201, body: { ...body, created_at: createdAt } };
}

function stats(): Answer {
  const byNode = store.countsByNode();
  const total = Object.values(byNode).reduce((sum, count) => sum + count, 0);
  return { status: 200, body: { node_name: nodeName, total_messages: total, by_node: byNode } };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_MAX_BYTES) throw new RequestError(413, 'The message is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function contentOf(body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new RequestError(400, 'The body is not JSON');
  }
  const content = (parsed as { content?: unknown } | null)?.content;
  if (typeof content === 'string' && content.trim() !== '') return content;
  throw new RequestError(400, 'Expected a "content" that is a text and not blank');
}

const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/api/health/': { GET: health },
  '/api/messages/': { GET: list },
  '/api/messages/create/': { POST: create },
  '/api/stats/': { GET: stats },
};

async function answer(request: IncomingMessage): Promise<Answer> {
  const route = ROUTES[(request.url ?? '').split('?', 1)[0]!];
  if (route === undefined) throw new RequestError(404, 'There is nothing here');
  const handler = route[request.method === 'HEAD' ? 'GET' : (request.method ?? '')];
  if (handler === undefined) throw new RequestError(405, `Not with ${request.method}`);
  return handler(request);
}

function answerOf(error: unknown): Answer {
  const { message, name } = error as Error;
  const body = { error: message, node_name: nodeName };
  if (error instanceof RequestError) return { status: error.status, body };
  if (error instanceof ReplicaError) return { status: 503, body };
  return { status: 500, body: { ...body, error_type: name } };
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let result: Answer;
  try {
    result = await answer(request);
  } catch (error) {
    result = answerOf(error);
  }
  const timestamp = new Date().toISOString();
  const body = Buffer.from(`${JSON.stringify({ ...result.body, timestamp })}\n`);
  response.writeHead(result.status, {
    'content-type': 'application/json',
    'content-length': body.length,
  });
  response.end(body);
}

function notify(notice: AppNotice): void {
  if (process.connected) process.send!(notice);
}

store.prepare();
const server = createServer((request, response) => void serve(request, response));
server.listen(Number(values.port), '127.0.0.1', () => notify({ kind: 'listening' }));
// Whoever started it has ended, or wants it to end.
const end = (): void => {
  server.close();
  store.close();
  // Who listens for a disconnect keeps the channel, and with it the process.
  if (process.connected) process.disconnect();
};
process.once('disconnect', end);
process.once('SIGTERM', end);
