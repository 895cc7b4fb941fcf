// The ingress of a lake: one address before a writer and its readers.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { StoreError } from '../store/errors.ts';
import { Backends } from './backends.ts';
import { IngressHandler } from './ingress-handler.ts';
import {
  DEFAULT_INGRESS_LIMITS,
  type IngressLimits,
  type IngressOptions,
  targetsOf,
} from './options.ts';

export interface Ingress {
  readonly address: AddressInfo;
  /** No new connections; requests under way have a while to finish. */
  close(): Promise<void>;
}

const CLOSE_IDLE_MS = 20;
/** As much as the nodes take: whole statements stand in headers. */
const HEADER_BYTES_MAX = 64 * 1024;

/** Listens when this resolves, and has asked all nodes once. Throws StoreError. */
export async function startIngress(options: IngressOptions): Promise<Ingress> {
  const limits = { ...DEFAULT_INGRESS_LIMITS, ...options.limits };
  const { log, holdMs = 0, flyReplay = false } = options;
  const backends = new Backends({ targets: targetsOf(options), limits, log });
  const handler = new IngressHandler({ backends, holdMs, flyReplay, limits });
  const server = createIngressServer(limits);
  server.on('request', (request, response) => {
    void handler.handle(request, response).catch((error: unknown) => {
      const { method, url } = request;
      log.error('A request failed in the ingress', { method, url, error: String(error) });
      response.destroy();
    });
  });
  await listen(server, options);
  await backends.start();
  const close = async (): Promise<void> => {
    backends.close();
    await closeServer(server, limits.closeMs);
    handler.close();
  };
  let closing: Promise<void> | undefined;
  return { address: server.address() as AddressInfo, close: () => (closing ??= close()) };
}

function createIngressServer(limits: IngressLimits): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    // Uploads take their time; what stands still is noticed.
    requestTimeout: 0,
    maxHeaderSize: HEADER_BYTES_MAX,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  return server;
}

async function listen(server: Server, { host, port }: IngressOptions): Promise<void> {
  // Without a host on all interfaces.
  server.listen(host === '' ? { port } : { host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const hint = code === 'EADDRINUSE' ? 'Choose another port' : undefined;
    const message = `The ingress cannot listen on ${host}:${port}: ${code}`;
    throw new StoreError('LAKE_STORE_START', message, { cause, hint });
  }
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  // A connection whose request has ended would stay for the next one.
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(timer);
  clearInterval(idle);
}
