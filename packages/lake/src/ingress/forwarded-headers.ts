// Headers on their way through: what is about one connection stays behind (RFC 9110, section
// 7.6.1), who asked is added. A client cannot make itself someone else: what it says of other
// proxies is passed on only after its own address.

import type { IncomingMessage } from 'node:http';

import { OF_ONE_CONNECTION } from '@skein/client/peers';

/** A body whose length is left behind would be taken for the next request. */
const OF_THE_BODY = 'content-length';

const VIA = '1.1 skein-lake';
/** An ingress before an ingress is possible, a loop has no end. */
const VIA_COUNT_MAX = 4;

/** For the node. The body keeps its frame: a length or chunks. */
export function requestHeaders(request: IncomingMessage): string[] {
  const { rawHeaders, headers, socket, method = 'GET' } = request;
  const kept = keep(rawHeaders, ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']);
  const before = headers['x-forwarded-for'];
  const client = socket.remoteAddress ?? 'unknown';
  kept.push('X-Forwarded-For', before === undefined ? client : `${String(before)}, ${client}`);
  kept.push('X-Forwarded-Host', headers.host ?? '');
  kept.push('X-Forwarded-Proto', 'http');
  kept.push('Via', VIA);
  const isChunked = headers['transfer-encoding'] !== undefined;
  if (isChunked) kept.push('Transfer-Encoding', 'chunked');
  else if (headers['content-length'] === undefined && method !== 'GET' && method !== 'HEAD') {
    kept.push('Content-Length', '0');
  }
  return kept;
}

/** For the client. */
export function answerHeaders({ rawHeaders, headers }: IncomingMessage): string[] {
  const kept = keep(rawHeaders, []);
  // Node frames what has no length as chunks, and has to be told for an answer of HTTP/1.0.
  if (headers['transfer-encoding'] !== undefined) kept.push('Transfer-Encoding', 'chunked');
  kept.push('Via', VIA);
  return kept;
}

export function isGoingRound({ headers }: IncomingMessage): boolean {
  const hops = (headers.via ?? '').split(',');
  return hops.filter((hop) => hop.trim() === VIA).length >= VIA_COUNT_MAX;
}

function keep(raw: readonly string[], alsoLeft: readonly string[]): string[] {
  const named = new Set(alsoLeft);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() !== 'connection') continue;
    for (const name of raw[i + 1]!.split(',')) named.add(name.trim().toLowerCase());
  }
  named.delete(OF_THE_BODY);
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!OF_ONE_CONNECTION.has(name) && !named.has(name)) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}
