// A request for a stream that is not granted: as an HTTP status for everybody, a line of text for
// people, and the code of the reason for nodes of Skein.

import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';

import type { ReplicationError, ReplicationErrorCode } from '../../errors.ts';

export const ERROR_HEADER = 'skein-error';

/** LiteFS's where it has one; 403 and 409 otherwise. */
const STATUS: Readonly<Partial<Record<ReplicationErrorCode, number>>> = {
  PRIMARY_CONFLICT: 409,
  CLUSTER_ID_MISMATCH: 409,
  NOT_PRIMARY: 503,
  PEER_AUTHENTICATION: 401,
  PEER_CLOCK: 401,
  PEER_NOT_ALLOWED: 403,
  PEER_PROTOCOL: 400,
  PEER_SELF: 400,
  STALE_EPOCH: 409,
  STREAM_LIMIT: 400,
  STREAM_MALFORMED: 400,
  STREAM_NEEDS_HTTP2: 426,
  STREAM_TOO_MANY: 503,
  STREAM_TRUNCATED: 400,
};

export function statusOf({ code }: ReplicationError): number {
  return STATUS[code] ?? 403;
}

/** Answers and ends the stream. `headers` say who we are. */
export function refuse(
  stream: ServerHttp2Stream,
  error: ReplicationError,
  headers: OutgoingHttpHeaders,
): void {
  if (stream.destroyed || stream.headersSent) {
    stream.destroy();
    return;
  }
  stream.respond({
    ':status': statusOf(error),
    'content-type': 'text/plain; charset=utf-8',
    [ERROR_HEADER]: error.code,
    ...headers,
  });
  stream.end(`${error.message}\n`);
  // Also when the request has not ended: nobody reads it any more.
  stream.close();
}
