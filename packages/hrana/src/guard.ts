// Who may ask. With a token, whoever shows it. Without one the server is for programs on this
// machine, and a page in a browser on it is none: what a page sends says where the page is from
// (Origin), or asks for a host by the page's name (Host), or is not JSON, which a page may not send
// to others without asking first.

import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

import { HranaError } from './errors.ts';

/** Throws HranaError for a request that may not be answered. */
export type Guard = (headers: IncomingHttpHeaders) => void;

export function createGuard(token: string | undefined): Guard {
  if (token === undefined) return checkPage;
  const expected = Buffer.from(`Bearer ${token}`);
  return ({ authorization = '' }) => {
    const given = Buffer.from(authorization);
    // How long the token is tells nobody what it is.
    if (given.length === expected.length && timingSafeEqual(given, expected)) return;
    throw new HranaError('SQL_UNAUTHORIZED', 'The token is missing or wrong');
  };
}

function checkPage({ origin, host, 'content-type': type = '' }: IncomingHttpHeaders): void {
  const isOther = origin !== undefined && origin !== `http://${host}`;
  if (isOther || !isLocalName(host)) {
    throw new HranaError('SQL_FORBIDDEN', 'Cannot answer a page of another site');
  }
  if (/^application\/json\b/i.test(type)) return;
  throw new HranaError('SQL_FORBIDDEN', 'Send the request as application/json');
}

function isLocalName(host: string | undefined): boolean {
  const name = host?.replace(/:\d+$/, '').replaceAll(/^\[|\]$/g, '');
  return name !== undefined && (isIP(name) !== 0 || name.toLowerCase() === 'localhost');
}
