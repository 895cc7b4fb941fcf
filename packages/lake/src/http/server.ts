// The HTTP server of the lake: takes requests in, finds out who sends them and where they go, and
// has every one answered, whatever happens.

import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { PROMETHEUS_CONTENT_TYPE } from '@skein/host';

import { checkOrigin, checkRead, mayWrite, principalOf } from './access.ts';
import { Admission } from './admission.ts';
import { catalogJson } from './catalog-answer.ts';
import { answerPreflight, setSharedHeaders } from './cross-origin.ts';
import { INTERNAL, maybeErrorAnswer, sendError } from './error-answer.ts';
import { LakeHttpError } from './errors.ts';
import { LakeHttpMetrics } from './lake-metrics.ts';
import { type Address, listen } from './listening.ts';
import type { LakeHttpOptions } from './options.ts';
import { Page } from './page.ts';
import { QueryHandler } from './query-handler.ts';
import { methodsOf, type Route, routeOf } from './routes.ts';
import { UploadHandler } from './upload-handler.ts';
import { readWish, signalOf, type Visit } from './visit.ts';

export interface LakeServer {
  readonly address: AddressInfo;
  /** No new connections; requests under way have a while to finish. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;
/** Queries come in headers too: Seafowl's clients put whole statements there. */
const HEADER_BYTES_MAX = 64 * 1024;

/** Starts to listen. Throws LakeHttpError for an address that is taken. */
export async function startLakeServer(
  address: Address,
  options: LakeHttpOptions,
): Promise<LakeServer> {
  const { log, limits } = options;
  const scratchFolder = await emptyFolder(join(options.scratchFolder, 'http'));
  const handler = new LakeHandler({ ...options, scratchFolder });
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Uploads take their time; what stands still is noticed where it is read.
    requestTimeout: 0,
    // Longer than the minute for which proxies keep theirs: they close first, and lose no request.
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  server.on('error', (error) => log.warn('The lake lost a connection', { error: error.message }));
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    void handler.handle(request, response);
  };
  server.on('request', answer);
  // A client that asks first gets a refusal without sending a file in vain.
  server.on('checkContinue', answer);
  await listen(server, address);
  return {
    address: server.address() as AddressInfo,
    close: () => close(server, limits.closeMs),
  };
}

/** What a process that was killed had in work is nobody's any more. */
async function emptyFolder(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

class LakeHandler {
  readonly #options: LakeHttpOptions;
  readonly #metrics: LakeHttpMetrics;
  readonly #queriesAdmission: Admission;
  readonly #queries: QueryHandler;
  readonly #uploads: UploadHandler;
  readonly #page: Page;

  constructor(options: LakeHttpOptions) {
    const { limits } = options;
    this.#options = options;
    this.#metrics = new LakeHttpMetrics(options.metrics);
    this.#queriesAdmission = new Admission({
      atOnce: limits.queriesAtOnce,
      waiting: limits.queriesWaiting,
    });
    const writes = new Admission({ atOnce: limits.writesAtOnce, waiting: 0 });
    this.#queries = new QueryHandler(options, this.#queriesAdmission, writes);
    this.#uploads = new UploadHandler(options, writes);
    this.#page = new Page(options.pageFolder);
  }

  /** Answers, whatever happens. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedMs = this.#options.clock.monotonicMs();
    const { method = '', url = '/' } = request;
    const [path = '/'] = url.split('?', 1);
    setSharedHeaders(response);
    let route: Route | undefined;
    try {
      if (method === 'OPTIONS') {
        if (methodsOf(path).length === 0) throw new LakeHttpError(404, 'LAKE_NOT_FOUND', '');
        answerPreflight(response);
        return;
      }
      route = routeOf(method, path);
      await this.#answer({ request, response, route, arrivedMs });
    } catch (error) {
      await this.#refuse(error, response);
    } finally {
      this.#count(method, route?.kind ?? 'other', response.statusCode, arrivedMs);
    }
  }

  async #answer(arrival: Arrival): Promise<void> {
    const { request, response, route, arrivedMs } = arrival;
    if (route.kind === 'healthz') return sendText(response, 200, 'ready');
    if (route.kind === 'readyz') return this.#answerReady(request, response);
    const { access, allowOrigins } = this.#options;
    const wish = readWish(request);
    // The page is no secret, and where a password is needed somebody has to ask for it.
    const isPage = route.kind === 'page';
    const principal = isPage ? 'anonymous' : principalOf(request.headers.authorization, access);
    const signal = signalOf(response);
    const visit: Visit = { request, response, principal, arrivedMs, signal, wish };
    switch (route.kind) {
      case 'page':
        this.#page.send(visit, route.file);
        return;
      case 'query':
        checkOrigin(request.headers, access, allowOrigins);
        return this.#queries.post(visit, route.database);
      case 'cached-query':
        return this.#queries.get(visit, route.database, route.segment);
      case 'upload':
        checkOrigin(request.headers, access, allowOrigins);
        return this.#uploads.post(visit, route);
      case 'catalog':
        checkRead(principal, access);
        return this.#answerCatalog(response);
      case 'metrics':
        return this.#answerMetrics(visit);
    }
  }

  /**
   * Ready: the catalog can be read, up to a position if one is asked for. Says who this is, which
   * is what ingresses go by.
   */
  async #answerReady(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { engine, nodeName, limits, log } = this.#options;
    response.setHeader('X-Skein-Role', engine.role);
    if (nodeName !== undefined) response.setHeader('X-Skein-Node', nodeName);
    const { position, timeoutMs } = readWish(request);
    const signal = signalOf(response);
    try {
      await engine.snapshot();
      if (position !== undefined) {
        const waitMs = Math.min(timeoutMs ?? limits.positionMs, limits.positionMs);
        await engine.waitFor(position, { timeoutMs: waitMs, signal });
      }
    } catch (error) {
      log.debug('Not ready', { error: String(error) });
      return sendText(response, 503, 'not_ready');
    }
    sendText(response, 200, 'ready');
  }

  async #answerCatalog(response: ServerResponse): Promise<void> {
    const text = catalogJson(await this.#options.engine.describeCatalog());
    response.setHeader('Cache-Control', 'no-store');
    sendText(response, 200, text, 'application/json');
  }

  /** Figures say what is asked here: they are for whoever may do anything. */
  #answerMetrics({ response, principal }: Visit): void {
    const { access, readMetrics } = this.#options;
    if (!mayWrite(principal, access)) checkRead(principal, access);
    this.#metrics.working.set(this.#queriesAdmission.working);
    this.#metrics.waiting.set(this.#queriesAdmission.waiting);
    response.setHeader('Cache-Control', 'no-store');
    sendText(response, 200, readMetrics(), PROMETHEUS_CONTENT_TYPE);
  }

  async #refuse(error: unknown, response: ServerResponse): Promise<void> {
    const { log } = this.#options;
    const { method } = response.req;
    const answer = maybeErrorAnswer(error);
    if (answer !== undefined) {
      const { code, message } = answer;
      // Of all refusals this one is not about the request: a disk is full, a file is gone.
      const level = code === 'LAKE_CATALOG' ? 'warn' : 'debug';
      log[level]('Refused a request', { method, code, error: message });
      return sendError(response, answer);
    }
    // Whoever hung up is told nothing any more.
    if (response.destroyed) return;
    log.error('A request failed', { method, error: String(error) });
    await sendError(response, INTERNAL);
  }

  #count(method: string, route: string, status: number, arrivedMs: number): void {
    const { log, clock } = this.#options;
    this.#metrics.request(method, route, status);
    const ms = Math.round(clock.monotonicMs() - arrivedMs);
    log.debug('Answered', { method, route, status, ms });
  }
}

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly arrivedMs: number;
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.setHeader('Content-Type', contentType);
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(text) }).end(text);
}

function close(server: Server, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
