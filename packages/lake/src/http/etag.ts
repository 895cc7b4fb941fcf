// What a cache asks with (RFC 9110, section 13.1.2), and what it is told.
//
// An ETag stands for the state of the lake that an answer was made from, and for its format: equal
// on every node, and after a restart. It is strong, but for compressed answers: the same result has
// other bytes then, so they carry it as a weak one.

import { createHash } from 'node:crypto';

/** Long enough that no two states have the same by chance. */
const ETAG_BYTES = 18;

/** Without quotes. */
export function etagOf(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest();
  return hash.subarray(0, ETAG_BYTES).toString('base64url');
}

export function formatEtag(etag: string, isCompressed: boolean): string {
  return `${isCompressed ? 'W/' : ''}"${etag}"`;
}

/**
 * Whether If-None-Match names it: weak comparison, lists, `*`. Clients that know Seafowl send it
 * back without quotes.
 */
export function isNamedBy(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((each) => {
    const bare = each.trim().replace(/^W\//, '');
    return bare === etag || bare === `"${etag}"`;
  });
}
