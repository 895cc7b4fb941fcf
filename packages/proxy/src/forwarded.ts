// Which headers go to the app, or on to the primary: those of the client, and what a door adds.
//
// Who the client is, X-Forwarded-* say. Whoever is not trusted is not believed: what it says of
// itself is replaced by what the connection says.

import { isIPv4 } from 'node:net';

import { formatVia } from '@skein/client/peers';

import type { RequestHeaders } from './request-headers.ts';

/**
 * Whose X-Forwarded-* are believed: `private` is everybody on loopback and in private networks,
 * where balancers and other nodes are.
 */
export type ForwardedTrust = 'private' | 'all' | 'none';

export interface Client {
  /** Of the connection, as Node has it. */
  readonly address: string;
  /** "1.1". */
  readonly httpVersion: string;
  /** Whether what it says of others is believed. */
  readonly isTrusted: boolean;
}

/** RFC 1918, RFC 6598, loopback, link-local. */
const PRIVATE_V4 = new RegExp(
  '^(?:10\\.|127\\.|192\\.168\\.|169\\.254\\.|172\\.(?:1[6-9]|2\\d|3[01])\\.|' +
    '100\\.(?:6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])\\.)',
);
/** Loopback, unique local, link-local. */
const PRIVATE_V6 = /^(?:::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

export function isTrustedAddress(address: string, trust: ForwardedTrust): boolean {
  if (trust !== 'private') return trust === 'all';
  const plain = plainAddress(address);
  return isIPv4(plain) ? PRIVATE_V4.test(plain) : PRIVATE_V6.test(plain);
}

/** The headers of the request that we send. */
export function forwardedHeaders(headers: RequestHeaders, client: Client): string[] {
  const { isTrusted } = client;
  const before = isTrusted ? headers.forwardedFor : [];
  const host = headers.hosts[0] ?? '';
  const sent = [
    ...headers.kept,
    'X-Forwarded-For',
    [...before, plainAddress(client.address)].join(', '),
    'X-Forwarded-Proto',
    forwardedProto(headers, client),
    'X-Forwarded-Host',
    (isTrusted ? headers.forwardedHost : undefined) ?? host,
    'Via',
    [...headers.via, formatVia(client.httpVersion)].join(', '),
  ];
  if (headers.position !== undefined) sent.push('Skein-Position', headers.position);
  if (headers.takesTrailers) sent.push('TE', 'trailers');
  if (headers.trailerNames !== undefined) sent.push('Trailer', headers.trailerNames);
  return sent;
}

/** How the client reached the outermost door, as far as that is known. */
export function forwardedProto(headers: RequestHeaders, client: Client): string {
  return (client.isTrusted ? headers.forwardedProto : undefined) ?? 'http';
}

/** IPv4 as IPv4, also over a socket for both. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
