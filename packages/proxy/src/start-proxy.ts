// The HTTP server of a proxy: listens, hands requests to the handler, ends.

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { Log } from '@skein/host';

import { sendAnswer } from './answers.ts';
import { ProxyError } from './errors.ts';
import {
  type HostAndPort,
  type ProxyLimits,
  type ProxyOptions,
  resolveOptions,
} from './options.ts';
import { ProxyHandler } from './proxy-handler.ts';
import type { Arrival } from './visit.ts';

export interface ProxyServer {
  /** The first of those where it listens. */
  readonly address: AddressInfo;
  /**
   * No new connections; requests under way have a while to finish, WebSockets end at once.
   */
  close(): Promise<void>;
}

/** One of the addresses where clients come. */
interface Door {
  readonly server: Server;
  /** Connections on which no request has come yet. */
  readonly silent: Set<Socket>;
}

const CLOSE_IDLE_MS = 20;
const CHECK_MS = 1000;

/** Starts to listen. Throws ProxyError for an address that is taken or a malformed pattern. */
export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  const resolved = resolveOptions(options);
  const { limits, log, address, alsoAt } = resolved;
  const handler = new ProxyHandler(resolved);
  const doors: Door[] = [];
  try {
    for (const each of [address, ...alsoAt]) {
      const door = createDoor(handler, limits, log);
      await listen(door.server, each);
      doors.push(door);
    }
  } catch (error) {
    await close(doors, handler, limits.closeMs);
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    address: doors[0]!.server.address() as AddressInfo,
    close: () => (closing ??= close(doors, handler, limits.closeMs)),
  };
}

function createDoor(handler: ProxyHandler, limits: ProxyLimits, log: Log): Door {
  const server = createProxyServer(limits);
  const silent = silentConnections(server);
  listenTo(server, (arrival) => {
    silent.delete(arrival.request.socket);
    void handler.handle(arrival).catch((error: unknown) => fail(error, arrival, log));
  });
  server.on('error', (error) => log.warn('The proxy lost a connection', { error: error.message }));
  return { server, silent };
}

function createProxyServer(limits: ProxyLimits): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    // Node looks for those who are too slow only so often.
    connectionsCheckingInterval: Math.min(limits.headersMs, CHECK_MS),
    // Uploads take their time; what stands still is noticed by the relay.
    requestTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
    noDelay: true,
  });
  // Node would leave out the rest in silence; their size is limited.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  return server;
}

function listenTo(server: Server, handle: (arrival: Arrival) => void): void {
  const plain = { upgrade: undefined };
  server.on('request', (request, response) => {
    handle({ request, response, expectsContinue: false, ...plain });
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    handle({ request, response, expectsContinue: true, ...plain });
  });
  server.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket;
    // Node has let go of the socket; an answer that is no switch of protocols is written all the
    // same.
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.destroySoon());
    handle({ request, response, expectsContinue: false, upgrade: { socket, head } });
  });
}

/** A bug: the connection ends rather than wait for ever, and the log says why. */
function fail(error: unknown, { request, response }: Arrival, log: Log): void {
  const { method, url } = request;
  log.error('A request failed in the proxy', { method, url, error: String(error) });
  sendAnswer(response, {
    status: 500,
    message: 'Something failed in the proxy; its log says more',
  });
}

function listen(server: Server, { host, port }: HostAndPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      const hint = cause.code === 'EADDRINUSE' ? 'Choose another port: proxy.address' : undefined;
      const message = `Cannot listen on ${shown}: ${cause.code}`;
      reject(new ProxyError('PROXY_LISTEN', message, { cause, hint }));
    };
    server.once('error', fail);
    server.listen(host === '' ? { port } : { host, port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

/** Connections that browsers open to be quick; Node does not count them as idle. */
function silentConnections(server: Server): Set<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  return silent;
}

async function close(
  doors: readonly Door[],
  handler: ProxyHandler,
  graceMs: number,
): Promise<void> {
  const closed = doors.map((door) => closeDoor(door, graceMs));
  handler.endWaiting();
  await Promise.all(closed);
  handler.close();
}

async function closeDoor({ server, silent }: Door, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  // A connection whose request has ended would stay for the next one.
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    for (const socket of silent) socket.destroy();
  });
  clearTimeout(timer);
  clearInterval(idle);
}
