// What an application tells the one that it forwards a request to: "I took you for the primary".
// The header is that of the proxy, which may be at either end:
//
//   Skein-Hop: 1;node1;<HMAC-SHA-256, hexadecimal>
//
// The version, the name of the node (percent-encoded) and, where a secret is given, a code over
// node, method, target and Host. With a secret, a hop without a right code is as if it was not
// there.
//
// Invariant: no request goes round. What has a hop is never forwarded, and should a hop be lost on
// the way, the count of ours in Via ends it.

import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
}

export const HOP_HEADER = 'Skein-Hop';
const VERSION = '1';
const CONTEXT = 'skein proxy hop 1';
/** Names of nodes are names of hosts, mostly. */
const LENGTH_MAX = 1024;

export function formatHop(
  nodeName: string,
  request: SignedRequest,
  secret: string | undefined,
): string {
  const name = encodeURIComponent(nodeName);
  const code = secret === undefined ? [] : [codeOf(name, request, secret).toString('hex')];
  return [VERSION, name, ...code].join(';');
}

/** Whether another node has forwarded the request, and proves it where there is a secret. */
export function isHop(text: string, request: SignedRequest, secret: string | undefined): boolean {
  if (text.length > LENGTH_MAX) return false;
  const [version, name, code, ...rest] = text.split(';');
  if (version !== VERSION || name === undefined || rest.length > 0) return false;
  if (secret === undefined) return true;
  const expected = codeOf(name, request, secret);
  const actual = Buffer.from(code ?? '', 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
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
