// Stands before an object store and does to its answers what networks and overloaded servers do.
// The Host header is left alone, so that signatures hold.

import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { onTestEnd, type TestScope } from '../test-cleanup.ts';

export type StoreFault =
  /** Answers with this status itself. */
  | { readonly kind: 'status'; readonly status: number }
  /** Cuts the connection after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Ends the body after so many bytes as if that was all. */
  | { readonly kind: 'short'; readonly afterBytes: number }
  /** Answers never. */
  | { readonly kind: 'silence' }
  /** Waits before each piece of the body. */
  | { readonly kind: 'slow'; readonly pauseMs: number }
  /** Another object has taken the name: its ETag is another. */
  | { readonly kind: 'etag'; readonly etag: string };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
}

/** What is to happen to a request; undefined: nothing. Counts from 1. */
export type FaultPlan = (request: SeenRequest, count: number) => StoreFault | undefined;

export class FaultProxy {
  readonly endpoint: string;
  /** Requests that have arrived, since the last `reset()`. */
  readonly seen: SeenRequest[] = [];
  #plan: FaultPlan = () => undefined;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** Forgets what was seen, and does this from now on. */
  reset(plan: FaultPlan = () => undefined): void {
    this.seen.length = 0;
    this.#plan = plan;
  }

  /** Notes a request, and says what is to happen to it. */
  next(request: IncomingMessage): StoreFault | undefined {
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, range: headers.range };
    this.seen.push(seen);
    return this.#plan(seen, this.seen.length);
  }
}

export async function startFaultProxy(t: TestScope, target: string): Promise<FaultProxy> {
  const server = createServer((request, response) => {
    const fault = proxy.next(request);
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'Content-Length': 0 }).end();
      return;
    }
    void forward(target, request, response, fault).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = new FaultProxy(`http://127.0.0.1:${port}`);
  onTestEnd(t, () => {
    server.close();
    server.closeAllConnections();
  });
  return proxy;
}

async function forward(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: StoreFault | undefined,
): Promise<void> {
  const { method, url, headers } = request;
  const asked = httpRequest(new URL(url!, target), { method, headers });
  request.pipe(asked);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const sent = { ...answer.headers };
  if (fault?.kind === 'etag') sent.etag = fault.etag;
  // A length that is right would give a body away that ends too early.
  if (fault?.kind === 'short') delete sent['content-length'];
  response.writeHead(answer.statusCode!, sent);
  let leftBytes = fault?.kind === 'cut' || fault?.kind === 'short' ? fault.afterBytes : Infinity;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    if (fault?.kind === 'slow') await sleep(fault.pauseMs);
    response.write(piece.subarray(0, leftBytes));
    leftBytes -= piece.length;
    if (leftBytes <= 0) break;
  }
  if (fault?.kind === 'cut') response.destroy();
  else response.end();
}
