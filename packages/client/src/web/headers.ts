// The headers of a request that may be forwarded, and of the answer to it: what goes on, and what
// ends here, since it is about one connection (RFC 9110, section 7.6) or for us.
//
// They stay a list of names and values, as Node's parser gives them: order, case and repetition are
// kept, so that two Set-Cookie are two.

import { formatHop, formatVia, HOP_HEADER } from './hop.ts';
import { OF_ONE_CONNECTION } from './one-connection.ts';

export interface RequestHeaders {
  /** Name, value, name, value. */
  readonly kept: readonly string[];
  readonly host: string;
  readonly cookies: readonly string[];
  /** What the client has seen, in its own words. */
  readonly position: string | undefined;
  readonly hop: string | undefined;
  readonly via: readonly string[];
  readonly forwardedFor: readonly string[];
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
  readonly hasBody: boolean;
  readonly isChunked: boolean;
}

/** Told anew when a request goes on. */
const RETOLD: ReadonlySet<string> = new Set([
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);
/** Never dropped, even if a client names them in its Connection header. */
const UNDROPPABLE: ReadonlySet<string> = new Set(['content-length', 'cookie', 'host']);

export function readRequestHeaders(raw: readonly string[]): RequestHeaders {
  const values = (name: string): string[] => valuesOf(raw, name);
  const isChunked = values('transfer-encoding').length > 0;
  return {
    kept: keep(raw, (name) => !RETOLD.has(name) && !name.startsWith('skein-')),
    host: values('host')[0] ?? '',
    cookies: values('cookie'),
    position: values('skein-position')[0],
    hop: values('skein-hop')[0],
    via: values('via'),
    forwardedFor: values('x-forwarded-for'),
    forwardedProto: values('x-forwarded-proto')[0],
    forwardedHost: values('x-forwarded-host')[0],
    hasBody: isChunked || (values('content-length')[0] ?? '0') !== '0',
    isChunked,
  };
}

export interface Leg {
  readonly nodeName: string;
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  /** Of the client's connection. */
  readonly address: string;
  /** "http" or "https", as the client came here. */
  readonly protocol: string;
  /** Whether X-Forwarded-* of the request are believed. */
  readonly isTrusted: boolean;
  readonly secret: string | undefined;
}

/** The headers with which a request goes on to the primary. */
export function forwardedHeaders(headers: RequestHeaders, leg: Leg): string[] {
  const { isTrusted, address, method, target, nodeName, secret } = leg;
  const { host } = headers;
  const before = isTrusted ? headers.forwardedFor : [];
  const sent = [...headers.kept];
  sent.push('X-Forwarded-For', [...before, plainAddress(address)].join(', '));
  const proto = isTrusted ? headers.forwardedProto : undefined;
  sent.push('X-Forwarded-Proto', proto ?? leg.protocol);
  const name = isTrusted ? headers.forwardedHost : undefined;
  sent.push('X-Forwarded-Host', name ?? host);
  sent.push('Via', [...headers.via, formatVia(leg.httpVersion)].join(', '));
  if (headers.position !== undefined) sent.push('Skein-Position', headers.position);
  sent.push(HOP_HEADER, formatHop(nodeName, { method, target, host }, secret));
  if (headers.isChunked) sent.push('Transfer-Encoding', 'chunked');
  else if (!headers.hasBody && valuesOf(sent, 'content-length').length === 0) {
    // Node would begin a chunked body for a method that may have one.
    sent.push('Content-Length', '0');
  }
  return sent;
}

/** The headers of the primary's answer that go on to the client. */
export function answeredHeaders(raw: readonly string[], httpVersion: string): string[] {
  return [...keep(raw, () => true), 'Via', formatVia(httpVersion)];
}

/** The values of a header in a list of names and values. */
export function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]!.toLowerCase() === name);
}

function keep(raw: readonly string[], isKept: (name: string) => boolean): string[] {
  const named = new Set(
    valuesOf(raw, 'connection')
      .flatMap((value) => value.toLowerCase().split(','))
      .map((name) => name.trim())
      .filter((name) => !UNDROPPABLE.has(name)),
  );
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (OF_ONE_CONNECTION.has(name) || named.has(name) || !isKept(name)) continue;
    kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

/** IPv4 as IPv4, also over a socket for both. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
