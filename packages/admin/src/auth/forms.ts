// Forms that only this site can have sent: each carries a token of its session, and comes from a
// page of the same origin.
//
// Before there is a session, a login form carries a signature of a cookie that came with it, so
// that nobody logs a stranger's browser in as himself.

import { randomBytes } from 'node:crypto';

import { isSigned, sign } from './signing.ts';

/** The token of all forms of a session. */
export function formToken(key: Buffer, sessionId: string): string {
  return sign(key, 'csrf', sessionId);
}

export function isFormToken(key: Buffer, sessionId: string, token: string): boolean {
  return isSigned(key, 'csrf', { text: sessionId, signature: token });
}

const NONCE_BYTES = 16;
const NONCE = /^[\w-]{22}$/;

/** A nonce to keep as a cookie; the form gets the token that belongs to it. */
export function loginNonce(cookie: string | undefined): string {
  if (cookie !== undefined && NONCE.test(cookie)) return cookie;
  return randomBytes(NONCE_BYTES).toString('base64url');
}

export function loginToken(key: Buffer, nonce: string): string {
  return sign(key, 'login', nonce);
}

export function isLoginToken(key: Buffer, nonce: string | undefined, token: string): boolean {
  if (nonce === undefined || !NONCE.test(nonce)) return false;
  return isSigned(key, 'login', { text: nonce, signature: token });
}

/**
 * Whether a browser sent the form from a page of this site. Old ones say nothing; then the token
 * alone decides. `hosts`: under which the site was asked, as a browser and as a balancer wrote it.
 */
export function isSameOrigin(
  headers: Headers,
  { hosts, origins }: { readonly hosts: readonly string[]; readonly origins: readonly string[] },
): boolean {
  const origin = headers.get('origin');
  if (origin === null) {
    const site = headers.get('sec-fetch-site');
    return site === null || site === 'same-origin';
  }
  if (origins.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { host, protocol } = new URL(origin);
  return /^https?:$/.test(protocol) && hosts.includes(host);
}
