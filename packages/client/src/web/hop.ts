// What a proxy, or an application without one, tells the one that it takes for the primary's: "this
// one I have forwarded".
//
//   Skein-Hop: 1;node1;<HMAC-SHA-256, hexadecimal>
//
// The version, the name of the node (percent-encoded) and, where the cluster has a secret, a code
// over node, method, target and Host. With a secret, a hop without a right code is as if it was not
// there. It needs no time: all that a stolen one can do is to be refused by a replica.
//
// Invariant: no request goes round. A forwarded one is not forwarded again; and should two nodes
// not know each other's secret, or a hop be lost on the way, the count of ours in Via ends it.

import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
}

export interface Hop {
  /** The node that forwarded it. */
  readonly nodeName: string;
  /** Whether that was proved. */
  readonly isProved: boolean;
}

export const HOP_HEADER = 'Skein-Hop';
const VERSION = '1';
const CONTEXT = 'skein proxy hop 1';
/** Names of nodes are names of hosts, mostly. */
const HOP_LENGTH_MAX = 1024;

export function formatHop(
  nodeName: string,
  request: SignedRequest,
  secret: string | undefined,
): string {
  const name = encodeURIComponent(nodeName);
  const code = secret === undefined ? [] : [codeOf(name, request, secret).toString('hex')];
  return [VERSION, name, ...code].join(';');
}

/** Undefined for what is no hop, or is not proved where it has to be. */
export function maybeParseHop(
  text: string,
  request: SignedRequest,
  secret: string | undefined,
): Hop | undefined {
  if (text.length > HOP_LENGTH_MAX) return undefined;
  const [version, name, code, ...rest] = text.split(';');
  if (version !== VERSION || name === undefined || rest.length > 0) return undefined;
  const nodeName = maybeDecode(name);
  if (nodeName === undefined) return undefined;
  if (secret === undefined) return { nodeName, isProved: false };
  const expected = codeOf(name, request, secret);
  const actual = Buffer.from(code ?? '', 'hex');
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined;
  return { nodeName, isProved: true };
}

/** As proxies and applications of ours are called in Via. */
const VIA_NAME = 'skein';
/** A chain of apps, each behind a proxy of ours, may hand Via on; a loop has no end. */
const VIA_COUNT_MAX = 8;

export function formatVia(version: string): string {
  return `${version} ${VIA_NAME}`;
}

/** How many proxies and applications of ours a request has passed. */
export function passedCount(via: readonly string[]): number {
  if (via.length === 0) return 0;
  const entries = via.join(',').split(',');
  return entries.filter((entry) => entry.trim().endsWith(` ${VIA_NAME}`)).length;
}

export function isGoingRound(via: readonly string[]): boolean {
  return passedCount(via) >= VIA_COUNT_MAX;
}

function codeOf(name: string, { method, target, host }: SignedRequest, secret: string): Buffer {
  const lines = [CONTEXT, name, method, target, host];
  return createHmac('sha256', secret).update(lines.join('\n')).digest();
}

function maybeDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
