// Who may ask over TCP. (Over the socket in the data folder: whoever may open it.)
//
// A web page that somebody on this machine looks at can send requests to loopback addresses, and by
// DNS rebinding even read the answers. Such requests say which page they come from (Origin), or ask
// for a host by the page's name (Host): both are refused.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

import type { HttpConfig } from '../config/mount-config.ts';
import { isLoopback } from '../config/values.ts';
import { ApiError } from './errors.ts';

export type Guard = (request: IncomingMessage) => void;

/** Throws ApiError for a request that may not be answered. */
export function createGuard(http: Pick<HttpConfig, 'host' | 'secret'>): Guard {
  const expected = http.secret === undefined ? undefined : digest(`Bearer ${http.secret}`);
  return ({ headers }) => {
    checkOrigin(headers.origin, headers.host);
    // Who knows the secret, or serves everybody, may use any name for the node.
    if (expected === undefined && isLoopback(http.host)) checkHost(headers.host, http.host);
    if (expected === undefined) return;
    // Digests have one length, which comparing in constant time needs.
    if (timingSafeEqual(digest(headers.authorization ?? ''), expected)) return;
    throw new ApiError('API_UNAUTHORIZED', 'Cannot answer: the secret is missing or wrong', {
      hint: 'Send the header Authorization: Bearer SECRET, with the secret of the node',
    });
  };
}

/** For applications: what `paths` name, and nothing else. */
export function createPathGuard(paths: ReadonlySet<string>): Guard {
  return ({ url = '' }) => {
    const path = url.split('?', 1)[0]!;
    if (paths.has(path)) return;
    throw new ApiError('API_FORBIDDEN', `Cannot answer for ${path} on the socket of applications`);
  };
}

function checkOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new ApiError('API_FORBIDDEN', 'Cannot answer a page of another site');
}

function checkHost(header: string | undefined, own: string): void {
  const name = header
    ?.replace(/:\d+$/, '')
    .replaceAll(/^\[|\]$/g, '')
    .toLowerCase();
  if (name !== undefined && (isIP(name) !== 0 || name === 'localhost' || name === own)) return;
  throw new ApiError('API_FORBIDDEN', `Cannot answer for host ${JSON.stringify(header ?? '')}`, {
    hint: 'Ask for the node by its address, or as localhost',
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
