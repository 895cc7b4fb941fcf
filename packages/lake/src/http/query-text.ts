// Which query a GET means. The path has the SQL itself, or the SHA-256 of it; then the text comes
// in the header X-Seafowl-Query (or X-Skein-Query), or in a JSON body.
//
// The hash is over the bytes of the text as it is meant. Seafowl takes header and body for
// percent-encoded; a `%` in them that was not encoded breaks its query. Here the hash tells which
// of the two was sent, so both work.

import { createHash } from 'node:crypto';

import { badRequest, type LakeHttpError } from './errors.ts';

const HASH = /^[0-9A-Fa-f]{64}$/;

export interface QuerySources {
  /** Behind `/q/`, as it stands in the request. */
  readonly segment: string;
  /** As Node gives it: a character a byte. */
  readonly header: string | undefined;
  readonly body: string | undefined;
}

/** Throws LakeHttpError: no query, another hash, or no UTF-8. */
export function queryTextOf({ segment, header, body }: QuerySources): string {
  // What follows the first dot is for caches that go by extensions.
  const [name = ''] = segment.split('.', 1);
  const given = body ?? (header === undefined ? undefined : fromBytes(header));
  if (given === undefined) {
    const text = decode(name);
    if (text === undefined) throw badRequest('QUERY_DECODE_ERROR');
    if (HASH.test(text)) {
      throw badRequest(
        'SQL error: there is no query for this hash. Send it in the header X-Seafowl-Query',
      );
    }
    return text;
  }
  const decoded = decode(given);
  const wanted = name.toLowerCase();
  for (const text of [decoded, given]) {
    if (text !== undefined && hashOf(text) === wanted) return text;
  }
  if (decoded === undefined && header !== undefined) throw badRequest('QUERY_DECODE_ERROR');
  throw wrongHash(hashOf(decoded ?? given), name);
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function wrongHash(right: string, given: string): LakeHttpError {
  return badRequest(
    `Invalid hash: expected "${right}", got "${given}". Resend your query with "${right}"`,
  );
}

/** Undefined: not percent-encoded UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A header's bytes may be UTF-8, which Node takes for Latin-1. */
function fromBytes(header: string): string {
  const utf8 = Buffer.from(header, 'latin1');
  const text = utf8.toString('utf8');
  return text.includes('\uFFFD') ? header : text;
}
