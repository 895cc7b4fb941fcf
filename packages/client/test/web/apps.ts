// The same small application in each framework, with the plugin before it, and a client.

import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
  type Server,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { serve } from '@hono/node-server';
import { onTestEnd, type TestScope } from '@skein/testkit';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';

import { skeinExpress, skeinExpressErrors } from '../../src/web/express.ts';
import { skeinFastify } from '../../src/web/fastify.ts';
import { skeinHono } from '../../src/web/hono.ts';
import type { WebOptions } from '../../src/web/options.ts';
import { DATABASE, PushedNode } from './pushed-node.ts';

export const LOOPBACK = '127.0.0.1';

export interface AppRequest {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface AppAnswer {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** What the application does; it may throw. */
export type Handle = (request: AppRequest) => AppAnswer | Promise<AppAnswer>;

export interface FrameworkOptions {
  readonly web: WebOptions;
  readonly handle: Handle;
}

/** Resolves with what listens. */
export type StartFramework = (options: FrameworkOptions) => Promise<Server>;

const BODY_LIMIT = 16 * 1024 * 1024;

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  return server;
}

const startExpress: StartFramework = async ({ web, handle }) => {
  const app = express();
  app.use(skeinExpress(web));
  app.use(express.text({ type: () => true, limit: BODY_LIMIT }));
  app.use(async (request, response) => {
    const { method, path, rawHeaders } = request;
    const body = typeof request.body === 'string' ? request.body : '';
    const { status, cookies, body: sent } = await handle({ method, path, rawHeaders, body });
    for (const cookie of cookies) response.append('Set-Cookie', cookie);
    response.status(status).send(sent);
  });
  app.use(skeinExpressErrors(web));
  app.set('env', 'test');
  return listening(createServer(app));
};

const startFastify: StartFramework = async ({ web, handle }) => {
  const app = fastify({ bodyLimit: BODY_LIMIT });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'string' },
    async (_request: object, body: string) => body,
  );
  await app.register(skeinFastify, web);
  app.all('/*', async (request, reply) => {
    const { method, url, raw, body } = request;
    const { rawHeaders } = raw;
    const given = typeof body === 'string' ? body : '';
    const answer = await handle({ method, path: url, rawHeaders, body: given });
    for (const cookie of answer.cookies) reply.header('Set-Cookie', cookie);
    return reply.code(answer.status).send(answer.body);
  });
  await app.listen({ host: LOOPBACK, port: 0 });
  return app.server;
};

interface Bindings {
  readonly incoming: IncomingMessage;
}

const startHono: StartFramework = async ({ web, handle }) => {
  const app = new Hono<{ Bindings: Bindings }>();
  app.use(skeinHono(web));
  app.all('/*', async (context) => {
    const { method, path } = context.req;
    const { rawHeaders } = context.env.incoming;
    const answer = await handle({ method, path, rawHeaders, body: await context.req.text() });
    for (const cookie of answer.cookies) context.header('Set-Cookie', cookie, { append: true });
    return new Response(answer.body, { status: answer.status, headers: context.res.headers });
  });
  app.onError((_error, context) => context.text('Failed', 500));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: LOOPBACK, port: 0 }, () => {
      resolve(server as Server);
    });
  });
};

export const FRAMEWORKS: Readonly<Record<string, StartFramework>> = {
  express: startExpress,
  fastify: startFastify,
  hono: startHono,
};

export interface TestApp {
  readonly node: PushedNode;
  readonly port: number;
  readonly url: string;
  /** What its handlers were asked. */
  readonly asked: AppRequest[];
}

export interface AppSetup {
  readonly name: string;
  readonly start: StartFramework;
  readonly web?: Partial<WebOptions>;
  readonly handle?: (app: TestApp, request: AppRequest) => AppAnswer | Promise<AppAnswer>;
}

/** Without a handler of its own it says who has answered, and sets two cookies. */
export async function startApp(t: TestScope, setup: AppSetup): Promise<TestApp> {
  const { name, start, web = {}, handle } = setup;
  const node = new PushedNode(t, name);
  const asked: AppRequest[] = [];
  const server = await start({
    web: { node, database: DATABASE, primaryWaitMs: 0, ...web },
    handle: (request) => {
      asked.push(request);
      if (handle !== undefined) return handle(app, request);
      return { status: 201, cookies: ['a=1; Path=/', 'b=2'], body: `${name} ${request.body}` };
    },
  });
  closeAtEnd(t, server);
  const { port } = server.address() as AddressInfo;
  const app: TestApp = { node, port, url: `http://${LOOPBACK}:${port}`, asked };
  return app;
}

export function closeAtEnd(t: TestScope, server: Server): void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  onTestEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
}

export interface Reply {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface Ask extends Pick<RequestOptions, 'method' | 'path' | 'headers'> {
  readonly body?: string;
}

export async function ask(to: { readonly port: number }, asked: Ask = {}): Promise<Reply> {
  const { body, ...options } = asked;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ host: LOOPBACK, port: to.port, agent: false, ...options });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
  const { statusCode, rawHeaders } = response;
  return { status: statusCode!, rawHeaders, body: await text(response) };
}

export function post(to: { readonly port: number }, asked: Ask = {}): Promise<Reply> {
  return ask(to, { method: 'POST', path: '/write', ...asked });
}
