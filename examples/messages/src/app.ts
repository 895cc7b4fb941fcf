// The application: messages over HTTP. Paths and keys are those of the Django example that it
// follows, trailing slashes included.
//
//   GET   /api/health/            how this node is: 200 when it can serve, else 503
//   GET   /api/messages/          the newest hundred, from this node's own database
//   POST  /api/messages/create/   {"content": "…"}; 201
//   GET   /api/stats/             how many messages were executed by which node
//         /admin/                 the database, for people
//
// Where a proxy stands in front, it brings writes to the primary's application. One that comes past
// the proxy to a replica is refused, with the address of the primary.

import { adminSite } from '@skein/admin';
import type { NodeView } from '@skein/client';
import { skeinFastify } from '@skein/client/fastify';
import {
  fastify,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';

import { isMigrated, newestMigrationMs } from './migrations.ts';
import type { MessageStore } from './store.ts';

export interface AppOptions {
  readonly node: NodeView;
  readonly store: MessageStore;
  readonly databaseName: string;
  /** Of the log, which goes to stdout as lines of JSON. */
  readonly logLevel: string;
}

const BODY_MAX_BYTES = 65_536;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** What the client has to change. */
class RequestError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { node, store, databaseName, logLevel } = options;
  const neededMs = newestMigrationMs();
  const app = fastify({
    logger: { level: logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    // A node that ends does not wait for the connections that its proxy keeps.
    forceCloseConnections: true,
  });
  await app.register(skeinFastify, {
    node,
    database: databaseName,
    forward: false,
    isReady: () => isMigrated(store, neededMs),
  });
  app.setErrorHandler<FastifyError>((error, _request, reply) => answerError(error, node, reply));
  acceptJson(app);
  addRoutes(app, options, neededMs);
  app.register((scope, _options, done) => {
    addAdmin(scope, options);
    done();
  });
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send({ error: 'There is nothing here', node_name: node.state.name });
  });
  return app;
}

/** JSON in UTF-8, whatever the client calls it: curl says that it sends a form. */
function acceptJson(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: object, body: Buffer) => {
    try {
      return JSON.parse(utf8.decode(body)) as unknown;
    } catch {
      throw new RequestError(400, 'The body is not JSON');
    }
  });
}

function addRoutes(app: FastifyInstance, options: AppOptions, neededMs: number): void {
  const { node, store } = options;
  const nodeName = node.state.name;
  addRoute(app, 'GET', '/api/health/', (_request, reply) => {
    const { statusCode, body } = health(options, neededMs);
    return reply.code(statusCode).send(stamped(body));
  });
  addRoute(app, 'GET', '/api/messages/', () => {
    const messages = store.list().map(({ id, content, nodeName: node_name, createdAt }) => {
      return { id, content, node_name, created_at: createdAt };
    });
    return stamped({ node_name: nodeName, message_count: store.count(), messages });
  });
  addRoute(app, 'POST', '/api/messages/create/', async (request, reply) => {
    const content = contentOf(request.body);
    const createdAt = new Date().toISOString();
    const id = await store.create({ content, nodeName, createdAt });
    request.log.info({ messageId: id, door: request.headers.host }, 'Created a message');
    const body = { message_id: id, content, node_name: nodeName, created_at: createdAt };
    return reply.code(201).send(stamped({ success: true, ...body }));
  });
  addRoute(app, 'GET', '/api/stats/', () => {
    const byNode = store.countsByNode();
    const total = Object.values(byNode).reduce((sum, each) => sum + each, 0);
    return stamped({ node_name: nodeName, total_messages: total, by_node: byNode });
  });
}

/** In a scope of its own, where nobody reads bodies but the site. */
function addAdmin(app: FastifyInstance, { node, store }: AppOptions): void {
  const site = adminSite({
    database: store.path,
    node,
    title: 'Messages',
    siteUrl: '/api/messages/',
    readOnlyTables: ['__drizzle_migrations'],
    onError: (error) => app.log.error(error),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
  for (const url of [site.basePath, `${site.basePath}/*`]) {
    app.all(url, (request, reply) => {
      reply.hijack();
      site.handler(request.raw, reply.raw);
    });
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** At this path nothing but `method` means anything. */
function addRoute(
  app: FastifyInstance,
  method: 'GET' | 'POST',
  url: string,
  handler: Handler,
): void {
  app.route({ method, url, handler: async (request, reply) => handler(request, reply) });
  app.route({
    method: METHODS.filter((each) => each !== method),
    url,
    handler: async (request, reply) => {
      reply.header('Allow', method);
      throw new RequestError(405, `Not with ${request.method}, but with ${method}`);
    },
  });
}

interface Health {
  readonly statusCode: number;
  readonly body: object;
}

function health({ node, store }: AppOptions, neededMs: number): Health {
  const { name, role, primary } = node.state;
  const leader = role === 'primary' ? name : (primary?.name ?? null);
  const tell = (status: string, databaseStatus: string, messageCount = 0): object => ({
    status,
    node_name: name,
    role,
    primary: leader,
    database: store.path,
    database_status: databaseStatus,
    message_count: messageCount,
  });
  try {
    if (isMigrated(store, neededMs)) {
      return { statusCode: 200, body: tell('healthy', 'ok', store.count()) };
    }
    return { statusCode: 503, body: tell('starting', 'waits for migrations') };
  } catch (error) {
    return { statusCode: 503, body: tell('failed', (error as Error).message) };
  }
}

function contentOf(body: unknown): string {
  const content = (body as { readonly content?: unknown } | null | undefined)?.content;
  if (typeof content !== 'string' || content.trim() === '') {
    throw new RequestError(400, 'Expected a "content" that is a text and not blank');
  }
  // The database would keep another text than the one that the answer tells.
  if (!content.isWellFormed()) throw new RequestError(400, 'The "content" has half a character');
  return content;
}

function stamped(body: object): object {
  return { ...body, timestamp: new Date().toISOString() };
}

function answerError(error: FastifyError, node: NodeView, reply: FastifyReply): void {
  const { statusCode = 500, message, name } = error;
  const body = { error: message, node_name: node.state.name };
  if (statusCode < 500) {
    reply.code(statusCode).send(stamped(body));
    return;
  }
  reply.log.error(error);
  reply.code(statusCode).send(stamped({ ...body, error_type: name }));
}
