// What goes wrong between two nodes before either has said a word: told apart from a peer that is
// not there, because it does not go away by itself.

import { ReplicationError } from '../errors.ts';

/** OpenSSL's, Node's, and those of X.509: CERT_HAS_EXPIRED, UNABLE_TO_VERIFY_LEAF_SIGNATURE. */
const TLS_CODE = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$|UNABLE_TO_|INVALID_(?:CA|PURPOSE)$)|CERT/;

const HINT =
  'Nodes need certificates for the names in their URLs, by the authority in cluster.tls.ca';

/** Undefined: it is not about TLS. `peer`: its address, or its name. */
export function maybeTlsError(error: unknown, peer: string): ReplicationError | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message?: string };
  if (typeof code !== 'string' || !TLS_CODE.test(code)) return undefined;
  // OpenSSL's messages have places in its sources, Node's an advice about Node behind a semicolon.
  const isReadable = message !== undefined && !/^(?:ERR_SSL_|EPROTO$)/.test(code);
  const reason = isReadable ? message.split(';', 1)[0]! : code;
  return tlsError(peer, reason, error);
}

export function tlsError(peer: string, reason: string, cause?: unknown): ReplicationError {
  const message = `No TLS connection with ${peer}: ${reason}`;
  return new ReplicationError('PEER_TLS', message, { hint: HINT, cause });
}
