// Errors of this package: why a stream was refused, or ended. Each has a stable code, which goes
// over the wire (header `skein-error`), into the messages, and into the metrics as the reason;
// docs/errors.md lists them.

import { CodedError } from '@skein/bytes';

export type ReplicationErrorCode =
  /** The id of the cluster is another one. */
  | 'CLUSTER_ID_MISMATCH'
  /** The peer does not know the secret, or this node knows one and the peer none. */
  | 'PEER_AUTHENTICATION'
  /** The peer's clock differs by more than signatures are valid. */
  | 'PEER_CLOCK'
  /** A LiteFS at an address that is not allowed to connect without a signature. */
  | 'PEER_NOT_ALLOWED'
  /** The peer speaks another version of the protocol. */
  | 'PEER_PROTOCOL'
  /** The peer said no, for a reason that this version does not know. */
  | 'PEER_REFUSED'
  /** The peer is this node itself. */
  | 'PEER_SELF'
  /** Nothing came from the peer for too long. */
  | 'PEER_SILENT'
  /** No TLS with the peer: one does not trust the other's certificate, or it speaks none. */
  | 'PEER_TLS'
  /** No connection to the peer, or it broke. */
  | 'PEER_UNREACHABLE'
  /** The peer is not the primary. */
  | 'NOT_PRIMARY'
  /** A transaction does not follow on the state that the replica has. */
  | 'POSITION_MISMATCH'
  /** Two nodes are configured for different primaries. */
  | 'PRIMARY_CONFLICT'
  /** The replica could not store what it got. */
  | 'RECEIVE_FAILED'
  /** The primary could not read what it was to send. */
  | 'SEND_FAILED'
  /** The stream is of an earlier term of leadership than one that was seen. */
  | 'STALE_EPOCH'
  /** What came is not as the protocol says. */
  | 'STREAM_MALFORMED'
  /** A name, a map, a transaction is larger than the protocol allows. */
  | 'STREAM_LIMIT'
  /** The stream ended inside of a frame. */
  | 'STREAM_TRUNCATED'
  /** A request needs HTTP/2. */
  | 'STREAM_NEEDS_HTTP2'
  /** As many peers as may be are connected. */
  | 'STREAM_TOO_MANY';

const CODES: Readonly<Record<ReplicationErrorCode, true>> = {
  CLUSTER_ID_MISMATCH: true,
  PEER_AUTHENTICATION: true,
  PEER_CLOCK: true,
  PEER_NOT_ALLOWED: true,
  PEER_PROTOCOL: true,
  PEER_REFUSED: true,
  PEER_SELF: true,
  PEER_SILENT: true,
  PEER_TLS: true,
  PEER_UNREACHABLE: true,
  NOT_PRIMARY: true,
  POSITION_MISMATCH: true,
  PRIMARY_CONFLICT: true,
  RECEIVE_FAILED: true,
  SEND_FAILED: true,
  STALE_EPOCH: true,
  STREAM_MALFORMED: true,
  STREAM_LIMIT: true,
  STREAM_TRUNCATED: true,
  STREAM_NEEDS_HTTP2: true,
  STREAM_TOO_MANY: true,
};

/** All of them, for what counts by reason. */
export const REPLICATION_ERROR_CODES: readonly ReplicationErrorCode[] = Object.keys(
  CODES,
) as ReplicationErrorCode[];

/** A peer, or what came from it, cannot be accepted; or it did not accept us. */
export class ReplicationError extends CodedError<ReplicationErrorCode> {
  override readonly name = 'ReplicationError';
}

/** The code that a peer sent, if it is one. */
export function maybeReplicationErrorCode(text: unknown): ReplicationErrorCode | undefined {
  const isCode = typeof text === 'string' && Object.hasOwn(CODES, text);
  return isCode ? (text as ReplicationErrorCode) : undefined;
}
