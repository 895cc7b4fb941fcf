// Answers of the API.

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ErrorResponse } from './error-response.ts';
import { ApiError } from './errors.ts';
import type { Subscriber } from './events.ts';

/** How long a caller who still sends may take to read why that is in vain. */
const LINGER_MS = 1000;

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`);
}

export function sendText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

/** Lines until the caller leaves, or does not read them. `subscribe` returns what ends it. */
export function streamLines(
  response: ServerResponse,
  hub: { readonly isFull: boolean; readonly subscriberCount: number },
  subscribe: (subscriber: Subscriber) => () => void,
): void {
  if (hub.isFull) {
    throw new ApiError('API_BUSY', `As many listen to events as may: ${hub.subscriberCount}`);
  }
  response.writeHead(200, {
    'Content-Type': 'application/x-ndjson',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  const write = (line: string): number => {
    response.write(line);
    return response.writableLength;
  };
  response.on('close', subscribe({ write, end: () => response.destroy() }));
}

/** Answers with an error, if that is still possible; else the connection is cut. */
export async function sendError(
  response: ServerResponse,
  { status, body }: ErrorResponse,
): Promise<void> {
  const { req } = response;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (status === 503) response.setHeader('Retry-After', '1');
  if (req.complete) return sendJson(response, status, body);
  // What was not read would be taken for the next request. And a socket that is closed while data
  // arrives takes the answer along (RST): so first the answer, then a moment, then the end.
  response.setHeader('Connection', 'close');
  req.resume();
  sendJson(response, status, body);
  await sleep(LINGER_MS, undefined, { ref: false });
  req.destroy();
}
