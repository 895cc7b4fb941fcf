// What the proxy answers itself. A client learns by the status and one header which it was:
//
//   503  Skein-Outcome: not-executed   nobody has seen the request: send it again
//   502  Skein-Outcome: unknown        it was sent, and no answer came: look before you try again
//
// Everything else is the app's own answer.

import type { ServerResponse } from 'node:http';

import type { Refusal } from './decide.ts';

export type Outcome = 'not-executed' | 'unknown';

export interface Answer {
  readonly status: number;
  readonly outcome?: Outcome;
  readonly message: string;
}

/** When it makes sense to ask again: an election takes a second or two. */
const RETRY_AFTER_S = 1;
/** How long a client that still sends may take to read why that is in vain. */
const LINGER_MS = 1000;

export function notExecuted(message: string): Answer {
  return { status: 503, outcome: 'not-executed', message };
}

export function unknownOutcome(message: string): Answer {
  return { status: 502, outcome: 'unknown', message };
}

const REFUSALS: Readonly<Record<Refusal, string>> = {
  'not-primary': 'Cannot execute what was forwarded: this node is not the primary',
  'no-primary': 'Cannot execute a write: no primary is known',
  behind: 'Cannot answer: this node is behind what you have seen, and no primary is known',
  loop: 'Cannot execute a request that goes round: the nodes disagree on who is primary',
};

export function refusal(reason: Refusal): Answer {
  return notExecuted(REFUSALS[reason]);
}

/** Answers, unless an answer has begun: then the connection is cut, which tells as much. */
export function sendAnswer(
  response: ServerResponse,
  { status, outcome, message }: Answer,
  headers: readonly string[] = [],
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = `${message}\n`;
  const sent = ['Content-Type', 'text/plain; charset=utf-8'];
  sent.push('Content-Length', String(Buffer.byteLength(body)));
  sent.push('Cache-Control', 'no-store', ...headers);
  if (outcome !== undefined) sent.push('Skein-Outcome', outcome);
  if (status === 503) sent.push('Retry-After', String(RETRY_AFTER_S));
  const isRead = response.req.complete;
  if (!isRead) sent.push('Connection', 'close');
  response.writeHead(status, sent);
  response.end(body);
  if (!isRead) linger(response);
}

/**
 * What was not read would be taken for the next request. And a socket that is closed while data
 * arrives takes the answer along (RST): so first the answer, then a moment, then the end.
 */
export function linger({ req }: ServerResponse): void {
  req.resume();
  setTimeout(() => req.destroy(), LINGER_MS).unref();
}
