// Apps, proxies and clients of the tests: real servers and real sockets on this machine.

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type RequestListener,
  type RequestOptions,
  type Server,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { NodeMetrics, readMetrics } from '@skein/host';
import { freePorts, onTestEnd, RecordingLog, type TestScope } from '@skein/testkit';

import { PushedNodeView } from '../src/node-view.ts';
import type { HostAndPort, ProxyOptions } from '../src/options.ts';
import { type ProxyServer, startProxy } from '../src/start-proxy.ts';

export const LOOPBACK = '127.0.0.1';

/** An app; the port is any that is free. */
export function startApp(t: TestScope, handle: RequestListener, port = 0): Promise<HostAndPort> {
  return startServer(t, (server) => void server.on('request', handle), port);
}

/** An app that needs more of its server than requests. */
export async function startServer(
  t: TestScope,
  setUp: (server: Server) => void,
  port = 0,
): Promise<HostAndPort> {
  const server = createServer();
  setUp(server);
  await new Promise<void>((resolve) => server.listen(port, LOOPBACK, resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  onTestEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: LOOPBACK, port: (server.address() as AddressInfo).port };
}

/** An app that says what it was sent. */
export function startEcho(t: TestScope, name: string): Promise<HostAndPort> {
  return startApp(t, (request, response) => {
    const answer = async (): Promise<void> => {
      const body = await text(request);
      const { method, url, rawHeaders, rawTrailers } = request;
      response.setHeader('X-App', name);
      response.end(JSON.stringify({ name, method, url, rawHeaders, rawTrailers, body }));
    };
    // A client may leave.
    answer().catch(() => response.destroy());
  });
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

export interface TestProxy {
  readonly view: PushedNodeView;
  readonly server: ProxyServer;
  readonly port: number;
  readonly url: string;
  readonly log: RecordingLog;
  /** The sum over all labels. */
  metric(name: string): number;
}

export type ProxySetup = Partial<Omit<ProxyOptions, 'view'>> &
  Pick<ProxyOptions, 'target'> & { readonly view?: PushedNodeView };

export async function startTestProxy(t: TestScope, setup: ProxySetup): Promise<TestProxy> {
  const log = new RecordingLog();
  const metrics = new NodeMetrics();
  const view = setup.view ?? new PushedNodeView('node1');
  const address = { host: LOOPBACK, port: 0 };
  const server = await startProxy({ address, log, metrics, ...setup, view });
  onTestEnd(t, () => server.close());
  const { port } = server.address;
  const metric = (name: string): number =>
    readMetrics(metrics.buffer)
      .filter((sample) => sample.name === name)
      .reduce((sum, { value }) => sum + value, 0);
  return { view, server, port, url: `http://${LOOPBACK}:${port}`, log, metric };
}

export interface Pair {
  readonly primary: TestProxy;
  readonly replica: TestProxy;
}

type PairSetup = Partial<Omit<ProxyOptions, 'view' | 'target'>> & {
  readonly primaryApp?: HostAndPort;
  readonly replicaApp?: HostAndPort;
};

/** A primary and a replica, each with its app; both have transaction 1 of `app.db`. */
export async function startPair(t: TestScope, setup: PairSetup = {}): Promise<Pair> {
  const { primaryApp, replicaApp, ...options } = setup;
  const primary = await startTestProxy(t, {
    ...options,
    target: primaryApp ?? (await startEcho(t, 'primary')),
    view: new PushedNodeView('node1'),
  });
  const replica = await startTestProxy(t, {
    ...options,
    target: replicaApp ?? (await startEcho(t, 'replica')),
    view: new PushedNodeView('node2'),
  });
  moveTo(primary, 1);
  moveTo(replica, 1);
  primary.view.update({ role: 'primary' });
  replica.view.update({ role: 'replica', primary: { name: 'node1', proxyUrl: primary.url } });
  return { primary, replica };
}

export function moveTo({ view }: TestProxy, txid: number, epoch = 1, database = 'app.db'): void {
  view.update({ positions: [[database, { epoch, txid: BigInt(txid) }]] });
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** What an echo says. */
  readonly echo: Echo;
}

export interface Echo {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly body: string;
}

export interface Ask extends Pick<RequestOptions, 'method' | 'path' | 'agent' | 'headers'> {
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
  const { statusCode, headers, rawHeaders } = response;
  const received = await text(response);
  const { trailers } = response;
  return {
    status: statusCode!,
    headers,
    rawHeaders,
    trailers,
    body: received,
    get echo() {
      return JSON.parse(received) as Echo;
    },
  };
}

/** The values of a header in a list of names and values. */
export function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === name.toLowerCase());
}

/** Sends bytes as they are; resolves with all that comes until the other side ends. */
export function exchangeRaw({ port }: { readonly port: number }, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, LOOPBACK);
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.write(sent, 'latin1');
  });
}
