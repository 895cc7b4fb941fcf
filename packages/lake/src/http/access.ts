// Who may read and who may write: bearer tokens, as Seafowl has them.
//
// Reads and writes each are for anybody, for nobody, or for whoever knows a password, of which the
// configuration has only the SHA-256. Who may write with a password may read with it.
//
// A token that is sent has to be right: a wrong one fails even for what needs none, so that a
// typing error shows.

import { createHash, timingSafeEqual } from 'node:crypto';

import { LakeHttpError } from './errors.ts';

export type AccessRule = 'any' | 'off' | { readonly sha256: string };

export interface AccessPolicy {
  readonly read: AccessRule;
  readonly write: AccessRule;
}

export type Principal = 'anonymous' | 'reader' | 'writer';

const SCHEME = 'Bearer ';

/** Throws LakeHttpError for a token that is no use. */
export function principalOf(authorization: string | undefined, policy: AccessPolicy): Principal {
  const { read, write } = policy;
  if (authorization === undefined) {
    if (read !== 'any' && write !== 'any') throw denied(401, 'NEED_ACCESS_TOKEN');
    return 'anonymous';
  }
  if (!authorization.startsWith(SCHEME)) throw denied(401, 'INVALID_AUTHORIZATION_HEADER');
  if (typeof read === 'string' && typeof write === 'string') {
    throw denied(400, 'USELESS_ACCESS_TOKEN');
  }
  const hash = createHash('sha256').update(authorization.slice(SCHEME.length)).digest();
  if (isPassword(write, hash)) return 'writer';
  if (isPassword(read, hash)) return 'reader';
  throw denied(401, 'INVALID_ACCESS_TOKEN');
}

export function mayRead(principal: Principal, { read }: AccessPolicy): boolean {
  return read === 'any' || (read !== 'off' && principal !== 'anonymous');
}

export function mayWrite(principal: Principal, { write }: AccessPolicy): boolean {
  return write === 'any' || (write !== 'off' && principal === 'writer');
}

/** Throws LakeHttpError. For what can only read: a write by POST is told apart by its own text. */
export function checkRead(principal: Principal, policy: AccessPolicy): void {
  if (policy.read === 'off') throw denied(405, 'READ_ONLY_ENDPOINT_DISABLED');
  if (!mayRead(principal, policy)) throw denied(403, 'READ_FORBIDDEN');
}

export function writeForbidden(): LakeHttpError {
  return denied(403, 'WRITE_FORBIDDEN');
}

/**
 * A page of another site makes the browser of whoever looks at it send requests. It may read what
 * anybody may read; it may write only with a password, or when it is allowed by name.
 */
export function checkOrigin(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  policy: AccessPolicy,
  allowOrigins: readonly string[],
): void {
  if (origin === undefined || policy.write !== 'any') return;
  if (allowOrigins.includes('*') || allowOrigins.includes(origin)) return;
  if (isOwn(origin, host)) return;
  throw denied(403, 'WRITE_FORBIDDEN');
}

/**
 * The page is ours when it comes from the host that is asked. By DNS rebinding another site's name
 * can lead to this machine: only addresses, and localhost, are sure to be ours.
 */
function isOwn(origin: string, host: string | undefined): boolean {
  if (host === undefined || (origin !== `http://${host}` && origin !== `https://${host}`)) {
    return false;
  }
  const { hostname } = new URL(`http://${host}`);
  return hostname === 'localhost' || /^[\d.]+$/.test(hostname) || hostname.startsWith('[');
}

function isPassword(rule: AccessRule, hash: Buffer): boolean {
  if (typeof rule === 'string') return false;
  const expected = Buffer.from(rule.sha256, 'hex');
  return expected.length === hash.length && timingSafeEqual(expected, hash);
}

function denied(status: number, token: string): LakeHttpError {
  return new LakeHttpError(status, 'LAKE_ACCESS', token);
}
