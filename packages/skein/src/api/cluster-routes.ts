// The part of the API that is about roles and peers: /readyz, /events, /cluster/node.

import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ClusterControl, PeerExchange } from './cluster-control.ts';
import { ApiError } from './errors.ts';
import { sendJson, sendText, streamLines } from './reply.ts';

export const SIGNATURE_HEADER = 'skein-auth';

/** Where a peer introduces itself, and where it asks at the same time for what this node has. */
export const HELLO_PATH = '/cluster/node';
export const HELLO_WITH_POSITIONS: string = `${HELLO_PATH}?positions`;

/** The names and URLs of all peers that a node knows, at their longest; positions are not asked. */
const INTRODUCTION_BYTES_MAX = 256 * 1024;
/** Nobody has proved anything yet who still sends: a slow one is not waited for. */
const INTRODUCTION_MS_MAX = 5_000;

const JSON_TYPE = 'application/json; charset=utf-8';

/** 200 while the node can serve readers: it is primary, or follows it closely enough. */
export function answerReadiness(control: ClusterControl, response: ServerResponse): void {
  const reason = control.unreadiness();
  const { role } = control.role();
  if (reason === undefined) sendJson(response, 200, { status: 'ready', role });
  else sendJson(response, 503, { status: 'not ready', role, message: reason });
}

/** Lines until the caller leaves, or does not read them. */
export function streamEvents(control: ClusterControl, response: ServerResponse): void {
  const { events } = control;
  streamLines(response, events, (subscriber) => {
    return events.subscribe(subscriber, { type: 'init', data: control.role() });
  });
}

/** A peer introduces itself, and is told who we are. */
export async function exchangeHello(
  peers: PeerExchange | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (peers === undefined) throw new ApiError('API_NOT_FOUND', 'This node belongs to no cluster');
  const body = await readIntroduction(request);
  const signature = signatureOf(request);
  const target = request.url!;
  peers.verify(signature, { target, body });
  const wantsPositions = target === HELLO_WITH_POSITIONS;
  const answer = peers.exchange(body, { wantsPositions });
  const own = peers.signAnswer(signature, answer);
  if (own !== undefined) response.setHeader(SIGNATURE_HEADER, own);
  sendText(response, 200, JSON_TYPE, answer);
}

export function describeNode(peers: PeerExchange | undefined, response: ServerResponse): void {
  if (peers === undefined) throw new ApiError('API_NOT_FOUND', 'This node belongs to no cluster');
  sendText(response, 200, JSON_TYPE, peers.describe());
}

function signatureOf({ headers }: IncomingMessage): string | undefined {
  const value = headers[SIGNATURE_HEADER];
  return typeof value === 'string' ? value : undefined;
}

async function readIntroduction(request: IncomingMessage): Promise<string> {
  const late = new ApiError('API_INCOMPLETE', 'What a peer says of itself did not come in time');
  const timer = setTimeout(() => request.destroy(late), INTRODUCTION_MS_MAX);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request) {
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > INTRODUCTION_BYTES_MAX) {
        throw new ApiError('API_TOO_LARGE', 'What a peer says of itself is not that long');
      }
      chunks.push(chunk as Buffer);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString();
}
