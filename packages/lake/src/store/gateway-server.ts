// The gateway: objects of a store as files under a URL on loopback, for the DuckDB of a reader. It
// only gives (GET, HEAD), only what is below the lake's prefix, and only to who has its token: 256
// random bits, made at each start, told to the engine alone. The URL is no secret, since DuckDB
// shows the names of files to whoever asks (`SELECT filename`).

import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Log } from '@skein/host';

import { parseRange } from './byte-range.ts';
import { StoreError } from './errors.ts';
import type { ObjectReader } from './object-reader.ts';
import { type ObjectInfo, SourceError, type SourceFailure } from './object-source.ts';

export interface GatewayServerOptions {
  readonly reader: ObjectReader;
  /** What keys of the lake begin with. */
  readonly prefix: string;
  /** What each request shows, as a bearer token (RFC 6750). */
  readonly token: string;
  readonly log: Log;
}

export interface GatewayServer {
  /** Ends with a slash; what stands behind it is the rest of a key. */
  readonly url: string;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const PATH = '/objects/';
/** DuckDB opens some for each of its threads and keeps them. */
const IDLE_MS = 60_000;
/** S3's own. */
const KEY_BYTES_MAX = 1024;

const STATUS: Readonly<Record<SourceFailure, number>> = {
  changed: 404,
  denied: 403,
  unavailable: 502,
};

export async function startGatewayServer(options: GatewayServerOptions): Promise<GatewayServer> {
  const server = createServer({ keepAliveTimeout: IDLE_MS, noDelay: true }, (request, response) => {
    void answer(request, response, options).catch((error: unknown) => {
      options.log.error('A request failed in the gateway', { error: String(error) });
      response.destroy();
    });
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${LOOPBACK}:${port}${PATH}`,
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

async function listen(server: Server): Promise<void> {
  server.listen(0, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new StoreError('LAKE_STORE_START', 'The gateway cannot listen on loopback', { cause });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: GatewayServerOptions,
): Promise<void> {
  const { method = '', url = '', headers } = request;
  // Who may not ask learns nothing, not even what there is.
  if (!isAllowed(headers.authorization, options.token)) return end(response, 401);
  const key = maybeKeyOf(url, options.prefix);
  if (key === undefined) return end(response, 404);
  if (method !== 'GET' && method !== 'HEAD') return end(response, 405);
  try {
    const info = await options.reader.maybeStat(key);
    if (info === undefined) return end(response, 404);
    await give(request, response, info, options.reader);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    options.log.warn('An object cannot be given', { key, error: error.message });
    // What is cut off in the middle must not look whole.
    if (response.headersSent) response.destroy();
    else end(response, STATUS[error.failure]);
  }
}

async function give(
  request: IncomingMessage,
  response: ServerResponse,
  info: ObjectInfo,
  reader: ObjectReader,
): Promise<void> {
  const { etag, sizeBytes, lastModified } = info;
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('ETag', etag);
  if (lastModified !== undefined) response.setHeader('Last-Modified', lastModified);
  const range = parseRange(request.headers.range, sizeBytes);
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${sizeBytes}`);
    return end(response, 416);
  }
  const { start, end: stop } = range ?? { start: 0, end: sizeBytes };
  response.statusCode = range === undefined ? 200 : 206;
  response.setHeader('Content-Length', stop - start);
  if (range !== undefined) {
    response.setHeader('Content-Range', `bytes ${start}-${stop - 1}/${sizeBytes}`);
  }
  if (request.method === 'HEAD' || start === stop) {
    response.end();
    return;
  }
  for await (const piece of reader.read(info, start, stop)) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

function end(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.setHeader('Content-Length', 0);
  response.end();
}

async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve);
  response.once('close', resolve);
  await promise;
  response.off('drain', resolve);
  response.off('close', resolve);
}

/**
 * The key that a path names. DuckDB sends a path as it is in the catalog, so a percent sign in it
 * is part of the key (`year=2024%2F1/`), and is not decoded.
 */
function maybeKeyOf(url: string, prefix: string): string | undefined {
  if (!url.startsWith(PATH)) return undefined;
  const rest = url.slice(PATH.length);
  const segments = rest.split('/');
  const isPlain =
    /^[\w.=%+@~!$&'()*,;:/-]+$/.test(rest) &&
    segments.every((each) => each !== '' && each !== '.' && each !== '..');
  const key = `${prefix}${rest}`;
  return isPlain && Buffer.byteLength(key) <= KEY_BYTES_MAX ? key : undefined;
}

function isAllowed(authorization: string | undefined, token: string): boolean {
  const expected = Buffer.from(`Bearer ${token}`);
  const actual = Buffer.from(authorization ?? '');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
