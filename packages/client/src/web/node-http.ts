// What frameworks that stand on node:http have in common: a request as it arrived, an answer in
// place of theirs, and headers that are added to theirs in the last moment.

import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import type { WebAnswer } from './answers.ts';
import type { Arrival } from './gate.ts';

/** `target`: path and query as the client has sent them, where the framework changes them. */
export function arrivalOf(
  request: IncomingMessage,
  response: ServerResponse,
  target: string = request.url ?? '',
): Arrival {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const { method = '', rawHeaders, httpVersion, socket } = request;
  return {
    method,
    target,
    rawHeaders,
    httpVersion,
    address: socket.remoteAddress ?? '',
    isEncrypted: (socket as Partial<TLSSocket>).encrypted === true,
    isBodyTaken: () => request.readableDidRead,
    body: () => request,
    signal: controller.signal,
  };
}

export function sendWebAnswer(
  response: ServerResponse,
  { status, headers, body }: WebAnswer,
): void {
  response.writeHead(status, headers as string[]);
  if (typeof body === 'string') {
    response.end(response.req.method === 'HEAD' ? undefined : body);
    return;
  }
  // An answer that broke off must not look like one that ended: both ends are cut.
  pipeline(body, response, () => {});
}

type HeadArguments = [status: number, ...rest: unknown[]];

/** Adds the headers, once, when those of the answer go out. */
export function addHeadersLate(response: ServerResponse, late: () => readonly string[]): void {
  const writeHead = response.writeHead.bind(response) as (...args: HeadArguments) => ServerResponse;
  response.writeHead = (...args: unknown[]): ServerResponse => {
    response.writeHead = writeHead;
    const [status, ...rest] = args as HeadArguments;
    const message = typeof rest[0] === 'string' ? rest.shift() : undefined;
    // Those of the call replace those that were set; ours come to both.
    setHeaders(response, rest[0]);
    const added = late();
    for (let i = 0; i + 1 < added.length; i += 2) response.appendHeader(added[i]!, added[i + 1]!);
    return message === undefined ? writeHead(status) : writeHead(status, message);
  };
}

function setHeaders(response: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) response.setHeader(name, value as OutgoingHttpHeader);
    }
    return;
  }
  const pairs: [string, string][] = Array.isArray(headers[0])
    ? (headers as [string, string][])
    : headers.flatMap((name: string, i) => (i % 2 === 0 ? [[name, headers[i + 1] as string]] : []));
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}
