// Sends one request to the primary, once, and gives back its answer. Both bodies stream.
//
// Invariant: after "not-sent" no byte has reached the other side and none of the body was taken
// from the client, so it may be tried again. After "lost" nobody knows what became of it.

import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

export interface Sending {
  /** Whose path plays no part. */
  readonly to: URL;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  /** Called once there is a connection; undefined: the request has no body. */
  readonly body: (() => Readable) | undefined;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}

export type SendResult =
  | { readonly kind: 'answered'; readonly answer: IncomingMessage }
  | { readonly kind: 'not-sent'; readonly error: Error }
  | { readonly kind: 'lost'; readonly error: Error };

const CONNECT_MS = 5000;
/** Reports and long polls take their time; what takes longer has lost its client anyway. */
const ANSWER_MS = 300_000;

/** Never rejects. */
export function send(sending: Sending): Promise<SendResult> {
  const { to, method, target, headers, body, signal } = sending;
  const request = to.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const sent = request({
      // A connection of its own: one that was kept may be closed by the other side just as the
      // request is on its way, and nobody could tell whether it arrived.
      agent: false,
      host: to.hostname.replaceAll(/^\[|\]$/g, ''),
      port: to.port === '' ? undefined : Number(to.port),
      method,
      path: target,
      // With a list Node adds nothing but what frames the body and the connection.
      headers: headers as string[],
      signal,
    });
    sent.once('socket', limitConnecting);
    sent.once('response', (answer) => resolve({ kind: 'answered', answer }));
    sent.on('error', (error) => {
      resolve({ kind: isConnectError(error) ? 'not-sent' : 'lost', error });
    });
    if (body === undefined) end(sent);
    else onceConnected(sent, () => pass(body(), sent));
  });
}

function pass(body: Readable, sent: ClientRequest): void {
  body.once('error', (error) => sent.destroy(error));
  // A client that leaves in the middle of its body.
  body.once('close', () => {
    if (!body.readableEnded) sent.destroy(new Error('The client has left'));
  });
  body.once('end', () => end(sent));
  body.pipe(sent, { end: false });
}

function end(sent: ClientRequest): void {
  sent.end();
  const timer = setTimeout(() => sent.destroy(new Error('No answer in time')), ANSWER_MS);
  sent.once('response', () => clearTimeout(timer));
  sent.once('close', () => clearTimeout(timer));
}

function onceConnected(sent: ClientRequest, begin: () => void): void {
  sent.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', begin);
    else begin();
  });
}

function limitConnecting(socket: Socket): void {
  const timer = setTimeout(() => {
    const error = new Error('connect ETIMEDOUT');
    socket.destroy(Object.assign(error, { code: 'ETIMEDOUT', syscall: 'connect' }));
  }, CONNECT_MS);
  const stop = (): void => clearTimeout(timer);
  socket.once('connect', stop);
  socket.once('close', stop);
}

/**
 * Whether the error came before there was a connection: nothing can have been sent. Where a name
 * has several addresses there is one for each.
 */
function isConnectError(error: Error): boolean {
  if (error instanceof AggregateError) return (error.errors as Error[]).every(isConnectError);
  if (!('syscall' in error)) return false;
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
}
