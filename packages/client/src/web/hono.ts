// The middleware for Hono on Node:
//
//   app.use(skeinHono({ node, database }));      before all others
//
// With @hono/node-server headers and addresses are those of the connection. On another server they
// are those of the Request.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import type { Context, MiddlewareHandler } from 'hono';

import { maybeErrorAnswer, type WebAnswer } from './answers.ts';
import { type Arrival, Gate } from './gate.ts';
import { resolveOptions, type WebOptions } from './options.ts';

export type { FindPrimary, RequestKind, RequestLine, WebOptions } from './options.ts';

/** Statuses whose answers have no body (Fetch, section 2.2.3). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** Routes requests between nodes, answers health, lets clients read what they wrote. */
export function skeinHono(options: WebOptions): MiddlewareHandler {
  const { node } = options;
  const gate = new Gate(resolveOptions(options));
  return async (context, next) => {
    const verdict = await gate.arrive(arrivalOf(context));
    if (verdict.go === 'answer') return toResponse(verdict.answer);
    await next();
    const failed = context.error === undefined ? undefined : maybeErrorAnswer(context.error, node);
    if (failed !== undefined) context.res = toResponse(failed);
    const seen = verdict.seen();
    for (let i = 0; i + 1 < seen.length; i += 2) {
      context.header(seen[i]!, seen[i + 1], { append: true });
    }
    return undefined;
  };
}

function arrivalOf({ req, env }: Context): Arrival {
  const { raw } = req;
  const { incoming } = (env ?? {}) as { readonly incoming?: IncomingMessage };
  const { pathname, search, protocol } = new URL(raw.url);
  const socket = incoming?.socket as Partial<TLSSocket> | undefined;
  return {
    method: raw.method,
    target: incoming?.url ?? `${pathname}${search}`,
    rawHeaders: incoming?.rawHeaders ?? [...raw.headers].flat(),
    httpVersion: incoming?.httpVersion ?? '1.1',
    address: socket?.remoteAddress ?? '',
    isEncrypted: socket === undefined ? protocol === 'https:' : socket.encrypted === true,
    isBodyTaken: () => raw.bodyUsed,
    body: () => (raw.body === null ? Readable.from([]) : Readable.fromWeb(raw.body)),
    signal: raw.signal,
  };
}

function toResponse({ status, headers, body }: WebAnswer): Response {
  const all = new Headers();
  for (let i = 0; i + 1 < headers.length; i += 2) all.append(headers[i]!, headers[i + 1]!);
  if (typeof body === 'string') return new Response(body, { status, headers: all });
  if (!WITHOUT_BODY.has(status)) {
    return new Response(Readable.toWeb(body), { status, headers: all });
  }
  body.resume();
  return new Response(null, { status, headers: all });
}
