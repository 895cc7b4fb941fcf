// One request to one node, and its answer to the client. Both bodies stream, as fast as the slower
// side takes them.
//
// Invariant: after "not-sent" nothing of the request has reached the node, and nothing of its body
// was taken from the client: another node may have it. After "lost" nobody knows what became of it.

import {
  type Agent,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';

import type { NodeAddress } from './node-probe.ts';
import type { IngressLimits } from './options.ts';

export interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly to: NodeAddress;
  /** Path and query as the node is to see them. */
  readonly path: string;
  readonly headers: readonly string[];
  readonly agent: Agent;
  readonly limits: IngressLimits;
  /** Headers of the answer as the client gets them; the answer waits for them. */
  readonly onAnswer: (answer: IncomingMessage) => Promise<readonly string[]>;
}

export type PassageResult = 'answered' | 'not-sent' | 'lost' | 'client-gone';

/** How long a client that still sends may take to read why that is in vain. */
const LINGER_MS = 1000;

/** Resolves when the answer has gone to the client or will not come. */
export async function passOn(passage: Passage): Promise<PassageResult> {
  const { request, response, limits } = passage;
  const asked = send(passage);
  const gone = (): void => void asked.destroy();
  response.once('close', gone);
  let timer: NodeJS.Timeout | undefined;
  try {
    const failed = new Promise<Error>((resolve) => asked.on('error', resolve));
    const answered = new Promise<IncomingMessage>((resolve) => asked.once('response', resolve));
    const connected = await Promise.race([connect(asked), failed]);
    if (connected instanceof Error) return response.destroyed ? 'client-gone' : 'not-sent';
    request.pipe(asked);
    request.setTimeout(limits.stallMs);
    asked.once('finish', () => {
      request.setTimeout(0);
      timer = setTimeout(() => asked.destroy(new Error('No answer in time')), limits.answerMs);
    });
    const answer = await Promise.race([answered, failed]);
    if (answer instanceof Error) return response.destroyed ? 'client-gone' : 'lost';
    clearTimeout(timer);
    const headers = await passage.onAnswer(answer);
    if (response.destroyed) return 'client-gone';
    await giveAnswer(answer, response, headers);
    return 'answered';
  } finally {
    clearTimeout(timer);
    response.off('close', gone);
  }
}

function send({
  request,
  to,
  path,
  headers,
  agent,
  limits,
}: Passage): ReturnType<typeof httpRequest> {
  const { method = 'GET' } = request;
  const asked = httpRequest({
    agent,
    host: to.address,
    port: to.port,
    method,
    path,
    // With an array Node adds nothing but what frames the body and the connection.
    headers: headers as string[],
    timeout: limits.connectMs,
  });
  asked.once('timeout', () => asked.destroy(new Error('No connection in time')));
  return asked;
}

/** Resolves when there is a connection. */
function connect(asked: ReturnType<typeof httpRequest>): Promise<void> {
  return new Promise((resolve) => {
    asked.once('socket', (socket) => {
      const ready = (): void => {
        // From here on it may take its time.
        asked.setTimeout(0);
        resolve();
      };
      if (socket.connecting) socket.once('connect', ready);
      else ready();
    });
  });
}

async function giveAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  headers: readonly string[],
): Promise<void> {
  if (answer.destroyed) {
    // It broke off while it was held.
    response.destroy();
    return;
  }
  const { req: request } = response;
  // What is not read would be taken for the next request.
  const sent = request.complete ? headers : [...headers, 'Connection', 'close'];
  response.sendDate = false;
  response.writeHead(answer.statusCode!, answer.statusMessage, sent as string[]);
  response.flushHeaders();
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('close', resolve);
  response.once('finish', resolve);
  // An answer that broke off must not look like one that ended.
  answer.once('error', () => response.destroy());
  answer.once('end', () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(pairsOf(answer.rawTrailers));
    response.end();
  });
  answer.pipe(response, { end: false });
  await promise;
  if (!answer.complete) answer.destroy();
  if (!request.complete) linger(request);
}

/** A socket that is closed while data arrives takes the answer along (RST). */
function linger(request: IncomingMessage): void {
  request.unpipe();
  request.resume();
  setTimeout(() => request.destroy(), LINGER_MS).unref();
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return Array.from({ length: Math.floor(raw.length / 2) }, (_, index) => {
    return [raw[index * 2]!, raw[index * 2 + 1]!];
  });
}
