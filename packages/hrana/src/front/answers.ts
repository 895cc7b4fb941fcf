// What the server answers over HTTP. Three things can become of a request, and its client can tell
// which it was:
//
//   200                                the results, with the errors of single requests among them
//   503  Skein-Outcome: not-executed   nobody has begun with it: send it again
//   502  Skein-Outcome: unknown        it may have been executed: look before you try again
//
// All others (4xx) say what is wrong with the request, of which nothing was executed. Errors are
// Hrana's: `{ "message", "code" }`.

import type { ServerResponse } from 'node:http';

import type { HranaError, HranaErrorCode } from '../errors.ts';

const STATUS: Readonly<Partial<Record<HranaErrorCode, number>>> = {
  SQL_UNAUTHORIZED: 401,
  SQL_FORBIDDEN: 403,
  SQL_NOT_FOUND: 404,
  SQL_DATABASE_NOT_FOUND: 404,
  SQL_TOO_LARGE: 413,
  STREAMS_FULL: 503,
  SQL_UNAVAILABLE: 503,
  SQL_BEHIND: 503,
  NOT_PRIMARY: 503,
  NO_PRIMARY: 503,
  OUTCOME_UNKNOWN: 502,
};

/** When it makes sense to ask again. */
const RETRY_AFTER_S = '1';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
}

export function errorAnswer(error: HranaError): Answer {
  const { code, message } = error;
  const status = STATUS[code] ?? 400;
  return refusal(status, JSON.stringify({ message, code }));
}

/** `body`: an error of Hrana, in JSON. */
export function refusal(status: number, body: string): Answer {
  const headers: string[] = [];
  if (status === 503) headers.push('Skein-Outcome', 'not-executed', 'Retry-After', RETRY_AFTER_S);
  if (status === 502) headers.push('Skein-Outcome', 'unknown');
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer');
  return { status, body: Buffer.from(body), headers };
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, body: Buffer.from(`${JSON.stringify(value)}\n`), headers: [] };
}

/** The answer to a pipeline. `results`: the inside of a list. */
export function pipelineAnswer(
  baton: string | undefined,
  results: Buffer,
  headers: readonly string[] = [],
): Answer {
  const start = baton === undefined ? NO_BATON : `{"baton":"${baton}","base_url":null,"results":[`;
  return { status: 200, body: Buffer.concat([Buffer.from(start), results, RESULTS_END]), headers };
}

const NO_BATON = '{"baton":null,"base_url":null,"results":[';
const RESULTS_END = Buffer.from(']}');

export function sendAnswer(response: ServerResponse, { status, body, headers }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    ...headers,
  ]);
  response.end(body);
}
