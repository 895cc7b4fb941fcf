// The one place where an error becomes a status. Bodies are plain text, the message alone: clients
// of Seafowl compare it. The code stands in X-Skein-Error.

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { LakeError, type LakeErrorKind } from '../engine/errors.ts';
import { LakeHttpError, type LakeHttpErrorCode } from './errors.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Which statement of the request, from 1. */
  readonly statement?: number | undefined;
}

const STATUS: Readonly<Record<LakeErrorKind, number>> = {
  parse: 400,
  plan: 400,
  execution: 400,
  forbidden: 403,
  'read-only': 403,
  busy: 429,
  timeout: 504,
  // Nobody is there to read it, or the server ends.
  cancelled: 503,
  unavailable: 503,
};

/** How long a client that still sends may take to read why that is in vain. */
const LINGER_MS = 1000;

/** What a client is told of a bug. */
export const INTERNAL: ErrorAnswer = {
  status: 500,
  code: 'LAKE_INTERNAL' satisfies LakeHttpErrorCode,
  message: 'Something failed in the server; its log says more',
};

/** Undefined for a bug: what that says is for the log, not for the client. */
export function maybeErrorAnswer(error: unknown): ErrorAnswer | undefined {
  if (error instanceof LakeHttpError) {
    return { status: error.status, code: error.code, message: error.message };
  }
  if (!(error instanceof LakeError)) return undefined;
  const { kind, code, message, statementIndex: index } = error;
  // Of a single statement there is no need to say that it is the first.
  const which = index === undefined || index === 0 ? '' : ` (statement ${index + 1})`;
  const statement = index === undefined ? undefined : index + 1;
  return { status: STATUS[kind], code, message: textOf(kind, message) + which, statement };
}

/** As clients of Seafowl know them. */
function textOf(kind: LakeErrorKind, message: string): string {
  if (kind === 'parse' && !message.startsWith('Empty')) return `SQL error: ${message}`;
  return kind === 'read-only' ? 'WRITE_FORBIDDEN' : message;
}

/** Answers with an error, if that is still possible; else the connection is cut. */
export async function sendError(response: ServerResponse, answer: ErrorAnswer): Promise<void> {
  const { req } = response;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code, message, statement } = answer;
  for (const name of ['ETag', 'Cache-Control', 'Content-Encoding']) response.removeHeader(name);
  response.setHeader('X-Skein-Error', code);
  if (statement !== undefined) response.setHeader('X-Skein-Statement', statement);
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (status === 429 || status === 503) response.setHeader('Retry-After', '1');
  if (message !== '') response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  // A proxy that stored a failure would keep it from being mended.
  if (status >= 500 || status === 429) response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Length', Buffer.byteLength(message));
  if (req.complete) {
    response.writeHead(status).end(message);
    return;
  }
  // What was not read would be taken for the next request. And a socket that is closed while data
  // arrives takes the answer along (RST): so first the answer, then a moment, then the end.
  response.setHeader('Connection', 'close');
  req.resume();
  response.writeHead(status).end(message);
  await sleep(LINGER_MS, undefined, { ref: false });
  req.destroy();
}
