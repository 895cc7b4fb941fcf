// One request on its way through the proxy: what it says, read once.

import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Hop, isGoingRound, maybeParseHop, NO_POSITIONS } from '@skein/client/peers';

import { type Answer, refusal } from './answers.ts';
import { carriedPositions } from './cookies.ts';
import { classify, type PathRules, type Question, type RequestKind } from './decide.ts';
import { type Client, isTrustedAddress } from './forwarded.ts';
import type { ResolvedOptions } from './options.ts';
import { readRequestHeaders, type RequestHeaders } from './request-headers.ts';
import type { Upgrade } from './tunnel.ts';

export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits to be told to send its body. */
  readonly expectsContinue: boolean;
  readonly upgrade: Upgrade | undefined;
}

export interface Visit extends Arrival {
  readonly method: string;
  /** Path and query, as sent on. */
  readonly target: string;
  /** Without the query, decoded: what patterns are about. */
  readonly path: string;
  readonly kind: RequestKind;
  readonly headers: RequestHeaders;
  readonly hasBody: boolean;
  readonly client: Client;
  readonly hop: Hop | undefined;
  readonly question: Question;
}

export type VisitOptions = Pick<ResolvedOptions, 'database' | 'secret' | 'trustForwarded'>;

/** The visit, or why it ends here. */
export function readVisit(
  arrival: Arrival,
  rules: PathRules,
  options: VisitOptions,
): Visit | Answer {
  const { request } = arrival;
  const headers = readRequestHeaders(request.rawHeaders);
  const method = request.method ?? '';
  const target = targetOf(request.url ?? '', headers);
  const fault = maybeFault(target, headers);
  if (fault !== undefined) return fault;
  const path = pathOf(target);
  const kind = classify(method, path, rules);
  const host = headers.hosts[0] ?? '';
  const hop =
    headers.hop === undefined
      ? undefined
      : maybeParseHop(headers.hop, { method, target, host }, options.secret);
  const address = request.socket.remoteAddress ?? '';
  const isTrusted = hop?.isProved === true || isTrustedAddress(address, options.trustForwarded);
  return {
    ...arrival,
    method,
    target,
    path,
    kind,
    headers,
    hasBody: headers.transferEncoding !== undefined || (headers.contentLength ?? '0') !== '0',
    client: { address, httpVersion: request.httpVersion, isTrusted },
    hop,
    question: {
      kind: kind === 'health' ? 'read' : kind,
      wanted: kind === 'read' || kind === 'write' ? wantedOf(headers, options) : NO_POSITIONS,
      isForwarded: hop !== undefined,
    },
  };
}

export function isVisit(each: Visit | Answer): each is Visit {
  return 'target' in each;
}

function wantedOf(headers: RequestHeaders, { database }: VisitOptions): Question['wanted'] {
  if (headers.cookies.length === 0 && headers.position === undefined) return NO_POSITIONS;
  return carriedPositions({ cookies: headers.cookies, header: headers.position }, database);
}

/** What two servers might read differently goes to none (RFC 9112, sections 3.2 and 6.1). */
function maybeFault(target: string, headers: RequestHeaders): Answer | undefined {
  if (headers.hosts.length > 1) {
    return { status: 400, message: 'Cannot answer a request with several hosts' };
  }
  // "*" is the target of OPTIONS about the server itself.
  if (!target.startsWith('/') && target !== '*') {
    return { status: 400, message: 'Cannot answer for a target that is not a path' };
  }
  const coding = headers.transferEncoding?.toLowerCase() ?? 'chunked';
  if (coding !== 'chunked') {
    return { status: 501, message: 'Cannot read a transfer coding other than chunked' };
  }
  return isGoingRound(headers.via) ? refusal('loop') : undefined;
}

/** Without scheme and host, which a client may write too; another host than in Host is a fault. */
function targetOf(url: string, headers: RequestHeaders): string {
  if (url.startsWith('/')) return url;
  const { host, rest } = /^https?:\/\/(?<host>[^/?#]+)(?<rest>.*)$/is.exec(url)?.groups ?? {};
  if (host === undefined || host !== headers.hosts[0]) return url;
  return rest!.startsWith('/') ? rest! : `/${rest}`;
}

function pathOf(target: string): string {
  const end = target.indexOf('?');
  const path = end === -1 ? target : target.slice(0, end);
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
