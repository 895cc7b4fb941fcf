// The plugin for Express, Connect and plain node:http, which call middleware the same way.
//
//   app.use(skeinExpress({ node, database }));         first: before what parses bodies
//   …
//   app.use(skeinExpressErrors({ node }));             last

import type { IncomingMessage, ServerResponse } from 'node:http';

import { maybeErrorAnswer } from './answers.ts';
import { Gate, type Verdict } from './gate.ts';
import { addHeadersLate, arrivalOf, sendWebAnswer } from './node-http.ts';
import { resolveOptions, type WebOptions } from './options.ts';

export type { FindPrimary, RequestKind, RequestLine, WebOptions } from './options.ts';

export type Next = (error?: unknown) => void;
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;
type AsyncMiddleware = (...args: Parameters<Middleware>) => Promise<void>;
export type ErrorMiddleware = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: Next,
) => void;

/** Routes requests between nodes, answers health, lets clients read what they wrote. */
export function skeinExpress(options: WebOptions): Middleware {
  const gate = new Gate(resolveOptions(options));
  const handle: AsyncMiddleware = async (request, response, next) => {
    let verdict: Verdict;
    try {
      // Below a path of its own, Express takes that path off the URL.
      const { originalUrl } = request as { originalUrl?: string };
      verdict = await gate.arrive(arrivalOf(request, response, originalUrl));
    } catch (error) {
      next(error);
      return;
    }
    if (verdict.go === 'answer') {
      sendWebAnswer(response, verdict.answer);
      return;
    }
    addHeadersLate(response, verdict.seen);
    next();
  };
  return (request, response, next) => void handle(request, response, next);
}

/** Answers for handlers that threw an error of @skein/client; hands all others on. */
export function skeinExpressErrors({ node }: Pick<WebOptions, 'node'>): ErrorMiddleware {
  return (error, _request, response, next) => {
    const answer = response.headersSent ? undefined : maybeErrorAnswer(error, node);
    if (answer === undefined) next(error);
    else sendWebAnswer(response, answer);
  };
}
