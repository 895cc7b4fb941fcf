// What the ingress does with a request: paths that begin with /w/ go to the writer, without that,
// all else to the readers.
//
// Invariant: what may change something is sent at most once. It is tried at another node only while
// nothing of it has been sent.

import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';

import type { Backend, Backends } from './backends.ts';
import { answerHeaders, isGoingRound, requestHeaders } from './forwarded-headers.ts';
import { probe } from './node-probe.ts';
import type { IngressLimits, LakeRole } from './options.ts';
import { type PassageResult, passOn } from './pass-on.ts';

export interface IngressHandlerOptions {
  readonly backends: Backends;
  readonly holdMs: number;
  readonly flyReplay: boolean;
  readonly limits: IngressLimits;
}

const WRITER_PREFIX = '/w/';

interface Destination {
  readonly role: LakeRole;
  readonly path: string;
}

export class IngressHandler {
  readonly #options: IngressHandlerOptions;
  /** Reads go over connections that are kept: a read that is lost is asked again. */
  readonly #kept = new Agent({ keepAlive: true });
  /** A kept connection may be closed by the other side while a write is on its way. */
  readonly #single = new Agent({ keepAlive: false });

  constructor(options: IngressHandlerOptions) {
    this.#options = options;
  }

  close(): void {
    this.#kept.destroy();
    this.#single.destroy();
  }

  /** Answers, whatever happens. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isGoingRound(request)) {
      return sendText(response, 508, 'This request goes round between ingresses');
    }
    const destination = destinationOf(request.url ?? '/');
    const tried = new Set<Backend>();
    const { limits, backends } = this.#options;
    const patience = AbortSignal.timeout(limits.patienceMs);
    for (;;) {
      const backend = await backends.choose(destination.role, tried, patience);
      if (response.destroyed) return;
      if (backend === undefined) return refuse(response, destination.role);
      if (this.#isElsewhere(backend)) return replay(response, backend);
      const result = await this.#sendOnce(request, response, destination, backend);
      if (result === 'answered' || result === 'client-gone') return;
      backends.markDown(backend);
      tried.add(backend);
      if (result === 'lost' && !isRepeatable(request)) {
        const message = 'The node was asked and did not answer: what became of it is unknown';
        return sendText(response, 502, message, ['Skein-Outcome', 'unknown']);
      }
    }
  }

  async #sendOnce(
    request: IncomingMessage,
    response: ServerResponse,
    { role, path }: Destination,
    backend: Backend,
  ): Promise<PassageResult> {
    const { backends, limits } = this.#options;
    backends.begin(backend);
    try {
      return await passOn({
        request,
        response,
        to: backend,
        path,
        headers: requestHeaders(request),
        agent: isRepeatable(request) ? this.#kept : this.#single,
        limits,
        onAnswer: async (answer) => {
          const headers = answerHeaders(answer);
          headers.push('X-Skein-Ingress', role);
          if (role === 'writer') headers.push(...(await this.#hold(request, answer)));
          return headers;
        },
      });
    } finally {
      backends.end(backend);
    }
  }

  /** Waits until the readers have what a write has made. Those that take too long read last. */
  async #hold(request: IncomingMessage, answer: IncomingMessage): Promise<string[]> {
    const { backends, holdMs } = this.#options;
    const { 'x-skein-position': position } = answer.headers;
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD';
    if (typeof position !== 'string' || !isWrite || answer.statusCode !== 200) return [];
    if (holdMs === 0) return [];
    const { readers } = backends;
    const have = await Promise.all(
      readers.map(async (reader) => {
        const { isReady } = await probe(reader, { position, timeoutMs: holdMs });
        if (!isReady) backends.markBehind(reader, position);
        return isReady;
      }),
    );
    return ['X-Skein-Readers', `${have.filter(Boolean).length}/${have.length}`];
  }

  /** On Fly.io each machine has its ingress and its node: what is not here is for another. */
  #isElsewhere({ role, address }: Backend): boolean {
    if (!this.#options.flyReplay || role !== 'writer') return false;
    return address !== '::1' && !(isIP(address) === 4 && address.startsWith('127.'));
  }
}

function destinationOf(url: string): Destination {
  if (!url.startsWith(WRITER_PREFIX)) return { role: 'reader', path: url };
  return { role: 'writer', path: url.slice(WRITER_PREFIX.length - 1) };
}

/** A read without a body; what was sent of others is not there any more. */
function isRepeatable({ method, headers }: IncomingMessage): boolean {
  const hasBody =
    headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return (method === 'GET' || method === 'HEAD') && !hasBody;
}

function refuse(response: ServerResponse, role: LakeRole): void {
  const headers = ['Skein-Outcome', 'not-executed', 'Retry-After', '1'];
  sendText(response, 503, `No ${role} of the lake can be reached`, headers);
}

function replay(response: ServerResponse, { name }: Backend): void {
  sendText(response, 200, '', ['fly-replay', `instance=${name}`]);
}

function sendText(
  response: ServerResponse,
  status: number,
  message: string,
  headers: readonly string[] = [],
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = message === '' ? '' : `${message}\n`;
  const sent = ['Content-Type', 'text/plain; charset=utf-8', 'Cache-Control', 'no-store'];
  sent.push('Content-Length', String(Buffer.byteLength(body)), ...headers);
  if (!response.req.complete) sent.push('Connection', 'close');
  response.writeHead(status, sent);
  response.end(body);
  response.req.resume();
}
