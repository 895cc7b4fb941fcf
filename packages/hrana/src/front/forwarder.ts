// Sends a pipeline to the SQL of the primary.
//
// Invariant: it is sent once. Each has a connection of its own: one that was kept may be closed by
// the other side just as a request is on its way, and nobody could tell whether it arrived. So what
// fails before there is a connection was not sent, and what fails later is unknown.

import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface ForwardOptions {
  /** Of this node: the primary does not forward it once more. */
  readonly nodeName: string;
  readonly token: string | undefined;
  readonly connectMs: number;
  /** From the last byte of the request to the last of the answer. */
  readonly answerMs: number;
  readonly answerBytesMax: number;
}

export interface ForwardedPipeline {
  readonly url: string;
  readonly database: string;
  readonly body: Buffer;
  /** What its client has seen. */
  readonly position: string | undefined;
}

export type ForwardResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: Buffer;
      readonly position: string | undefined;
      readonly outcome: string | undefined;
    }
  | { readonly kind: 'not-sent'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Names the node that has forwarded a request. */
export const HOP_HEADER = 'skein-sql-hop';

export function forwardPipeline(
  { url, database, body, position }: ForwardedPipeline,
  options: ForwardOptions,
): Promise<ForwardResult> {
  const { nodeName, token, connectMs, answerMs } = options;
  const target = new URL(`/db/${encodeURIComponent(database)}/v2/pipeline`, url);
  const settings: RequestOptions = {
    method: 'POST',
    agent: false,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      [HOP_HEADER]: encodeURIComponent(nodeName),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(position === undefined ? {} : { 'Skein-Position': position }),
    },
  };
  return new Promise((resolve) => {
    let isSent = false;
    const end = (result: ForwardResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    const fail = (reason: string): void => {
      request.destroy();
      end({ kind: isSent ? 'unknown' : 'not-sent', reason });
    };
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(target, settings, (response) => {
      void readAnswer(response, options).then(end, (error: Error) => fail(error.message));
    });
    let timer = setTimeout(() => fail('it cannot be reached in time'), connectMs);
    request.on('error', (error) => fail(error.message));
    request.on('socket', (socket) => {
      socket.setNoDelay(true);
      socket.once(target.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        timer = setTimeout(() => fail('it does not answer in time'), answerMs);
        isSent = true;
        request.end(body);
      });
    });
  });
}

async function readAnswer(
  response: IncomingMessage,
  { answerBytesMax }: ForwardOptions,
): Promise<ForwardResult> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > answerBytesMax) throw new Error('its answer is too large');
    chunks.push(chunk as Buffer);
  }
  if (!response.complete) throw new Error('its answer broke off');
  const header = (name: string): string | undefined => {
    const value = response.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    kind: 'answered',
    status: response.statusCode!,
    body: Buffer.concat(chunks),
    position: header('skein-position'),
    outcome: header('skein-outcome'),
  };
}
