// What is answered in place of the application. All of it is JSON with a message and a code, and a
// header that says what became of the request, as the proxy says it (docs/proxy.md):
//
//   503  Skein-Outcome: not-executed   nobody has executed it: send it again
//   502  Skein-Outcome: unknown        it was sent, and no answer came: look before trying again
//
// A handler that failed may have done other things before, so what it threw gets the status and no
// word about the whole request.

import type { Readable } from 'node:stream';

import {
  findSkeinError,
  NOT_PRIMARY_MESSAGE,
  type NotPrimaryError,
  type Outcome,
  type PrimaryAddress,
} from '../errors.ts';
import type { NodeView } from '../node-view.ts';

/** What an answer in place of the application is about. */
export type WebAnswerCode =
  | 'NOT_PRIMARY'
  | 'NO_PRIMARY'
  | 'FENCED'
  | 'OUTCOME_UNKNOWN'
  | 'POSITION_TIMEOUT'
  /** Nodes disagree on who leads: a request that was forwarded came to no primary. */
  | 'FORWARD_LOOP'
  /** The primary is known, and could not be connected to. */
  | 'PRIMARY_UNREACHABLE';

export interface WebAnswer {
  readonly status: number;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: string | Readable;
}

/** When it makes sense to ask again. */
const RETRY_AFTER_S = 1;

export function jsonAnswer(
  status: number,
  json: object,
  headers: readonly string[] = [],
): WebAnswer {
  const body = `${JSON.stringify(json)}\n`;
  return {
    status,
    headers: [
      'Content-Type',
      'application/json; charset=utf-8',
      'Content-Length',
      String(Buffer.byteLength(body)),
      'Cache-Control',
      'no-store',
      ...headers,
    ],
    body,
  };
}

export interface Refusal {
  readonly code: WebAnswerCode;
  readonly message: string;
  readonly primary?: PrimaryAddress | undefined;
}

/** Nobody has executed it. */
export function notExecuted(refusal: Refusal): WebAnswer {
  return answerWith(503, refusal, 'not-executed');
}

/** It was sent, and nobody knows what became of it. */
export function unknownOutcome(primary: PrimaryAddress): WebAnswer {
  const message = 'The request was sent to the primary, and no answer came';
  return answerWith(502, { code: 'OUTCOME_UNKNOWN', message, primary }, 'unknown');
}

/**
 * What a client is told of an error that a handler threw: undefined when it is not of this package,
 * or none that a client could do something about.
 */
export function maybeErrorAnswer(error: unknown, node: NodeView): WebAnswer | undefined {
  const cause = findSkeinError(error);
  if (cause === undefined) return undefined;
  const { code, message } = cause;
  if (code === 'NOT_PRIMARY') {
    const primary = (cause as NotPrimaryError).primary ?? node.state.primary;
    return answerWith(503, { code, message: NOT_PRIMARY_MESSAGE, primary });
  }
  if (code === 'NO_PRIMARY' || code === 'FENCED') return answerWith(503, { code, message });
  if (code === 'OUTCOME_UNKNOWN') return answerWith(502, { code, message }, 'unknown');
  return undefined;
}

function answerWith(status: number, refusal: Refusal, outcome?: Outcome): WebAnswer {
  const { code, message, primary } = refusal;
  const url = primary?.proxyUrl ?? primary?.url;
  const address = { ...(primary && { name: primary.name }), ...(url !== undefined && { url }) };
  const headers = outcome === undefined ? [] : ['Skein-Outcome', outcome];
  if (status === 503) headers.push('Retry-After', String(RETRY_AFTER_S));
  const known = primary === undefined ? {} : { primary: address };
  return jsonAnswer(status, { error: message, code, ...known }, headers);
}
