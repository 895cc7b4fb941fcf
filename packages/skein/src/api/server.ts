// The API of a node over HTTP: on the socket `api.sock` in the data folder, for those whom that
// lets in, and over TCP where the configuration says so.

import {
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
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
import { createGuard } from './guard.ts';
import { cannotListen, close, listen } from './listening.ts';
import type { NodeControl } from './node-control.ts';
import { sendError } from './reply.ts';
import { createRoutes, type RequestHandler } from './routes.ts';
import { Transfers } from './transfers.ts';
import { openSocketPath, SOCKET_NAME } from './unix-socket.ts';

export interface ApiOptions {
  readonly control: NodeControl;
  /** Undefined: nothing is told of roles, and of what happens. */
  readonly cluster?: ClusterControl;
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
      rmSync(join(dataFolder, SOCKET_NAME), { force: true });
    };

    const everybody = { all: () => {}, peers: () => {} };
    const local = createHttpServer(this.#handler(this.#routes(everybody)), log);
    servers.push(local);
    await listenInFolder(local, control.newScratchPath('api'), dataFolder);
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

/**
 * Listens in a new folder where nobody else can look in, then moves the socket to its place: so it
 * is never open to others, and takes the place of one that a node left which died.
 */
async function listenInFolder(server: Server, folder: string, dataFolder: string): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  const socket = openSocketPath(folder);
  try {
    await listen(server, { path: socket.path });
    const path = join(folder, SOCKET_NAME);
    letIn(path, dataFolder);
    renameSync(path, join(dataFolder, SOCKET_NAME));
    rmdirSync(folder);
  } catch (error) {
    throw cannotListen(join(dataFolder, SOCKET_NAME), 'http.address', error);
  } finally {
    socket.close();
  }
}

/**
 * The owner; and the group of a data folder that lets its group pass and nobody else (mode 0710):
 * so an application of another user follows its node.
 */
function letIn(socketPath: string, dataFolder: string): void {
  const { mode, gid } = statSync(dataFolder);
  const passing = mode & (constants.S_IXGRP | constants.S_IXOTH);
  const isForGroup = passing === constants.S_IXGRP;
  if (isForGroup) chownSync(socketPath, -1, gid);
  chmodSync(socketPath, isForGroup ? 0o660 : 0o600);
}

function describe({ host, port }: HttpConfig): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
