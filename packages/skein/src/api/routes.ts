// What the API answers:
//
//   GET  /healthz              200 while the node serves and can commit, else 503; needs no secret
//   GET  /metrics              figures for Prometheus
//   GET  /v1/status            NodeStatus
//   GET  /v1/databases/NAME    the database as a file
//   PUT  /v1/databases/NAME    the file becomes the database; answers DatabaseStatus
//
// Errors are `{ "code", "message", "hint" }`.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { PROMETHEUS_CONTENT_TYPE } from '@skein/host';

import { ApiError } from './errors.ts';
import type { Guard } from './guard.ts';
import type { NodeControl } from './node-control.ts';
import { sendJson, sendText } from './reply.ts';
import type { Transfers } from './transfers.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface RouteOptions {
  readonly control: NodeControl;
  readonly transfers: Transfers;
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
  transfers,
}: RouteOptions): (guard: Guard) => RequestHandler {
  const health: Handler = async ({ response }) => {
    const failure = await findFailure(control);
    if (failure === undefined) sendJson(response, 200, { status: 'ok' });
    else sendJson(response, 503, { status: 'failed', message: failure });
  };
  const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '/healthz': { GET: health },
    '/metrics': {
      GET: async ({ response }) =>
        sendText(response, 200, PROMETHEUS_CONTENT_TYPE, control.metrics()),
    },
    '/v1/status': {
      GET: async ({ response }) => sendJson(response, 200, await control.status()),
    },
    [DATABASES]: {
      GET: ({ response, name }) => transfers.send(name, response),
      PUT: ({ request, response, name }) => transfers.receive(name, request, response),
    },
  };

  return (guard) => async (request, response) => {
    const { path, name } = splitPath((request.url ?? '').split('?', 1)[0]!);
    const methods = Object.hasOwn(routes, path) ? routes[path]! : undefined;
    if (methods?.['GET'] !== health) guard(request);
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
