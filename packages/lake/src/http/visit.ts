// One request with all that is asked of it, read once.

import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Principal } from './access.ts';
import { badRequest } from './errors.ts';
import { type Encoding, encodingOf, formatOf } from './negotiate.ts';
import type { FormatName } from './formats/result-format.ts';

export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly principal: Principal;
  readonly arrivedMs: number;
  /** Aborted when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
  readonly wish: Wish;
}

/** What a query is to be answered in, and what it takes. */
export interface Wish {
  readonly format: FormatName;
  readonly encoding: Encoding;
  /** A position that the answer has to have. */
  readonly position: string | undefined;
  /** At most so long, if that is less than the server allows. */
  readonly timeoutMs: number | undefined;
  /** Of a GET. */
  readonly parameters: Parameters | undefined;
}

export type Parameters = readonly unknown[] | Readonly<Record<string, unknown>>;

const TIMEOUT = /^\d{1,9}$/;

/** Throws LakeHttpError. */
export function readWish({ url = '', headers }: IncomingMessage): Wish {
  const search = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  const timeout = headerOf(headers['x-skein-timeout']);
  if (timeout !== undefined && !TIMEOUT.test(timeout)) {
    throw badRequest('X-Skein-Timeout is no whole number of milliseconds');
  }
  const parameters = search.get('parameters');
  return {
    format: formatOf(search.get('format'), headers.accept),
    encoding: encodingOf(headerOf(headers['accept-encoding'])),
    position: headerOf(headers['x-skein-position']),
    timeoutMs: timeout === undefined ? undefined : Number(timeout),
    parameters: parameters === null ? undefined : readParameters(parseParameters(parameters)),
  };
}

/** Values for `$1`, `?` or `$name`. Throws LakeHttpError for what is neither list nor object. */
export function readParameters(value: unknown): Parameters | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') return value as Parameters;
  throw badRequest('Parameters are a list of values, or an object of names and values');
}

export function headerOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}

function parseParameters(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('The parameters in the URL are no JSON');
  }
}

/** Aborted when the connection ends before the answer does. */
export function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
