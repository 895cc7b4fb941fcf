// The API of a node over HTTP: on the socket `api.sock` in the data folder, which its owner alone
// can open, and over TCP where the configuration says so. What an application needs of it is on
// `app.sock` as well, for those whom the data folder lets pass.

import { rmSync } from 'node:fs';
import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import type { Log } from '@skein/host';

import type { HttpConfig } from '../config/mount-config.ts';
import type { Address } from '../config/values.ts';
import { maybeErrorResponse } from './error-response.ts';
import type { ClusterControl } from './cluster-control.ts';
import { createGuard, createPathGuard } from './guard.ts';
import { listenInFolder } from './listen-in-folder.ts';
import { cannotListen, close, listen } from './listening.ts';
import type { NodeControl } from './node-control.ts';
import { sendError } from './reply.ts';
import { createRoutes, type RequestHandler } from './routes.ts';
import { APP_PATHS, type StateControl } from './state-routes.ts';
import { Transfers } from './transfers.ts';
import { APP_SOCKET_NAME, SOCKET_NAME } from './unix-socket.ts';

export interface ApiOptions {
  readonly control: NodeControl;
  /** Undefined: nothing is told of roles, and of what happens. */
  readonly cluster?: ClusterControl;
  /** Undefined: nobody follows the node. */
  readonly state?: () => Promise<StateControl>;
  readonly dataFolder: string;
  readonly http: HttpConfig | undefined;
  readonly log: Log;
  /** Largest upload; default: whatever there is space for. */
  readonly uploadBytesMax?: number;
  /** A transfer on which nothing moves for so long is given up. */
  readonly stallMs?: number;
}

export interface ApiServer {
  /** Where TCP callers find it; undefined: nowhere. */
  readonly tcp: AddressInfo | undefined;
  /** Ends: requests under way have a moment to finish. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 256;

/** How an HTTP server has to be that the API is served by. */
export const API_SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  // A database takes its time; what stands still is noticed by Transfers.
  requestTimeout: 0,
};

/** The API of a node, for any number of servers. */
export class Api {
  readonly #options: ApiOptions;
  readonly #routes: ReturnType<typeof createRoutes>;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#routes = createRoutes({ ...options, transfers: new Transfers(options) });
  }

  /** Answers requests that come over TCP to this address. */
  handlerFor(address: Address, secret: string | undefined): RequestListener {
    const { host } = address;
    const peers = createGuard({ host, secret: undefined });
    return this.#handler(this.#routes({ all: createGuard({ host, secret }), peers }));
  }

  /** Starts to listen. Throws ApiError when an address is taken. */
  async listen(): Promise<ApiServer> {
    const { dataFolder, http, log, control } = this.#options;
    const servers: Server[] = [];
    const closeAll = async (): Promise<void> => {
      await Promise.all(servers.map((server) => close(server)));
      for (const name of [SOCKET_NAME, APP_SOCKET_NAME]) {
        rmSync(join(dataFolder, name), { force: true });
      }
    };

    const everybody = { all: () => {}, peers: () => {} };
    const inApp = createPathGuard(APP_PATHS);
    const apps = { all: inApp, peers: inApp };
    for (const [name, guards] of [
      [SOCKET_NAME, everybody],
      [APP_SOCKET_NAME, apps],
    ] as const) {
      const local = createHttpServer(this.#handler(this.#routes(guards)), log);
      servers.push(local);
      const scratch = control.newScratchPath('api');
      await listenInFolder(local, { scratch, dataFolder, name, isForPassers: guards === apps });
    }
    if (http === undefined) return { tcp: undefined, close: closeAll };

    const remote = createHttpServer(this.handlerFor(http, http.secret), log);
    try {
      await listen(remote, http);
    } catch (error) {
      await closeAll();
      throw cannotListen(describe(http), 'http.address', error);
    }
    servers.push(remote);
    return { tcp: remote.address() as AddressInfo, close: closeAll };
  }

  #handler(handle: RequestHandler): RequestListener {
    const { log } = this.#options;
    return (request, response) => {
      void handle(request, response).catch((error: unknown) => refuse(error, response, log));
    };
  }
}

/** Starts to listen. Throws ApiError when an address is taken. */
export function startApi(options: ApiOptions): Promise<ApiServer> {
  return new Api(options).listen();
}

function createHttpServer(answer: RequestListener, log: Log): Server {
  const server = createServer(API_SERVER_OPTIONS);
  server.maxConnections = CONNECTIONS_MAX;
  // Of single connections, such as when there are no descriptors left.
  server.on('error', (error) => log.warn('The API lost a connection', { error: error.message }));
  server.on('request', answer);
  // A caller that asks first gets a refusal without sending a database in vain.
  server.on('checkContinue', answer);
  return server;
}

async function refuse(error: unknown, response: ServerResponse, log: Log): Promise<void> {
  const { method, url } = response.req;
  const known = maybeErrorResponse(error);
  if (known !== undefined) {
    log.debug('Refused a request', { method, url, error: known.body.message });
    return sendError(response, known);
  }
  // Whoever hung up is told nothing any more.
  if (response.destroyed) return;
  log.error('A request failed', { method, url, error: String(error) });
  const message = 'Something failed in the node; its log says more';
  await sendError(response, { status: 500, body: { code: 'API_INTERNAL', message } });
}

function describe({ host, port }: HttpConfig): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
