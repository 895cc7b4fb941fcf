// What the API answers:
//
//   GET  /healthz              200 while the node serves and can commit, else 503; needs no secret
//   GET  /readyz               200 while the node is primary, or follows closely; needs no secret
//   GET  /metrics              figures for Prometheus
//   GET  /v1/status            NodeStatus; also at /status
//   GET  /events               what happens, a line of JSON each, until the caller leaves
//   GET  /v1/state             what the node is, for its applications; see state-routes.ts
//   GET  /cluster/node         what the node tells its peers of itself
//   POST /cluster/node         a peer tells of itself, and is answered the same; signed
//   GET  /v1/databases/NAME    the database as a file
//   PUT  /v1/databases/NAME    the file becomes the database; answers DatabaseStatus
//
// Errors are `{ "code", "message", "hint" }`.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { PROMETHEUS_CONTENT_TYPE } from '@skein/host';

import type { ClusterControl } from './cluster-control.ts';
import {
  answerReadiness,
  describeNode,
  exchangeHello,
  HELLO_PATH,
  streamEvents,
} from './cluster-routes.ts';
import { ApiError } from './errors.ts';
import type { Guard } from './guard.ts';
import type { NodeControl } from './node-control.ts';
import { sendJson, sendText } from './reply.ts';
import { answerSettled, answerState, followState, type StateControl } from './state-routes.ts';
import type { Transfers } from './transfers.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface RouteOptions {
  readonly control: NodeControl;
  readonly cluster?: ClusterControl;
  readonly state?: () => Promise<StateControl>;
  readonly transfers: Transfers;
}

/** Who may ask. */
export interface Guards {
  readonly all: Guard;
  /** For peers, which prove by a signature that they know the secret. */
  readonly peers: Guard;
}

type Handler = (call: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly name: string;
}) => Promise<void>;

const DATABASES = '/v1/databases/';

/** How long the node may take to say how it is. */
const HEALTH_TIMEOUT_MS = 5_000;

/** Answers requests that `guard` lets through. Throws what error-response.ts understands. */
export function createRoutes({
  control,
  cluster,
  state,
  transfers,
}: RouteOptions): (guards: Guards) => RequestHandler {
  const health: Handler = async ({ response }) => {
    const failure = await findFailure(control);
    if (failure === undefined) sendJson(response, 200, { status: 'ok' });
    else sendJson(response, 503, { status: 'failed', message: failure });
  };
  const status: Handler = async ({ response }) => sendJson(response, 200, await control.status());
  const routes: Routes = {
    '/healthz': { GET: health },
    '/metrics': {
      GET: async ({ response }) =>
        sendText(response, 200, PROMETHEUS_CONTENT_TYPE, control.metrics()),
    },
    '/v1/status': { GET: status },
    '/status': { GET: status },
    ...(cluster === undefined ? {} : clusterRoutes(cluster)),
    ...(state === undefined ? {} : stateRoutes(state)),
    [DATABASES]: {
      GET: ({ response, name }) => transfers.send(name, response),
      PUT: ({ request, response, name }) => transfers.receive(name, request, response),
    },
  };

  return (guards) => async (request, response) => {
    const { path, name } = splitPath((request.url ?? '').split('?', 1)[0]!);
    const methods = Object.hasOwn(routes, path) ? routes[path]! : undefined;
    guardOf(path, request, guards)?.(request);
    if (methods === undefined) throw new ApiError('API_NOT_FOUND', `There is nothing at ${path}`);
    const handler = methods[request.method ?? ''];
    if (handler === undefined) {
      const allowed = Object.keys(methods).join(', ');
      response.setHeader('Allow', allowed);
      throw new ApiError('API_METHOD', `${path} knows ${allowed}, not ${request.method}`);
    }
    await handler({ request, response, name: decodeName(name) });
  };
}

type Routes = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/** For load balancers, which have no secret and learn no more than how the node is. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

function guardOf(path: string, { method }: IncomingMessage, guards: Guards): Guard | undefined {
  if (OPEN_PATHS.has(path)) return undefined;
  return path === HELLO_PATH && method === 'POST' ? guards.peers : guards.all;
}

function clusterRoutes(cluster: ClusterControl): Routes {
  return {
    '/readyz': { GET: async ({ response }) => answerReadiness(cluster, response) },
    '/events': { GET: async ({ response }) => streamEvents(cluster, response) },
    [HELLO_PATH]: {
      GET: async ({ response }) => describeNode(cluster.peers, response),
      POST: ({ request, response }) => exchangeHello(cluster.peers, request, response),
    },
  };
}

function stateRoutes(state: () => Promise<StateControl>): Routes {
  return {
    '/v1/state': { GET: async ({ response }) => answerState(await state(), response) },
    '/v1/state/follow': { GET: async ({ response }) => followState(await state(), response) },
    '/v1/state/settled': { GET: async ({ response }) => answerSettled(await state(), response) },
  };
}

/** The path of a route, and the name behind it where the route takes one. */
function splitPath(path: string): { readonly path: string; readonly name: string } {
  if (!path.startsWith(DATABASES)) return { path, name: '' };
  return { path: DATABASES, name: path.slice(DATABASES.length) };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    const message = `The name ${JSON.stringify(text)} is not encoded as one in a URL`;
    throw new ApiError('API_BAD_REQUEST', message, { cause });
  }
}

async function findFailure(control: NodeControl): Promise<string | undefined> {
  const timeout = new AbortController();
  const late = sleep(HEALTH_TIMEOUT_MS, 'late' as const, { signal: timeout.signal, ref: false });
  try {
    const status = await Promise.race([control.status(), late]);
    if (status === 'late') return `The node does not answer for ${HEALTH_TIMEOUT_MS} ms`;
    return status.log.failure;
  } catch (error) {
    return (error as Error).message;
  } finally {
    timeout.abort();
    late.catch(() => {});
  }
}
