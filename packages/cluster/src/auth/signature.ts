// The header `skein-auth`: who sent a request knows the secret of the cluster.
//
//   1 <ms since 1970> <nonce, 32 hex digits> <MAC, 64 hex digits>
//
// The MAC is HMAC-SHA-256 over time, nonce and all that the request says of itself, each with its
// length before it, so that no two requests have the same text.

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import { ReplicationError } from '../errors.ts';

export interface Signature {
  readonly timestampMs: number;
  readonly nonce: string;
  readonly mac: string;
}

/** What a key is used for: a signature for one purpose says nothing for another. */
export type KeyPurpose = 'request' | 'answer';

const VERSION = '1';

const FORMAT = /^(\d{1,2}) (\d{1,15}) ([0-9a-f]{32}) ([0-9a-f]{64})$/;

const KEY_BYTES = 32;

/** The key for one purpose. What leaks of it says nothing about the secret or the other keys. */
export function deriveKey(secret: string, purpose: KeyPurpose): Buffer {
  const key = hkdfSync('sha256', secret, '', `skein cluster ${VERSION} ${purpose}`, KEY_BYTES);
  return Buffer.from(key);
}

export function computeMac(key: Uint8Array, parts: readonly string[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:${part}`);
  return hmac.digest('hex');
}

/** Takes as long for any two MACs. */
export function isSameMac(actual: string, expected: string): boolean {
  const left = Buffer.from(actual);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

export function formatSignature({ timestampMs, nonce, mac }: Signature): string {
  return `${VERSION} ${timestampMs} ${nonce} ${mac}`;
}

/** Throws ReplicationError for what is no signature, or one of another version. */
export function parseSignature(text: string | undefined): Signature {
  if (text === undefined) throw refused('the secret is missing');
  const match = FORMAT.exec(text);
  if (match === null) throw refused('the signature is malformed');
  const [, version, timestampMs, nonce, mac] = match;
  if (version !== VERSION) throw refused(`the signature is of version ${version}`);
  return { timestampMs: Number(timestampMs), nonce: nonce!, mac: mac! };
}

export function refused(reason: string): ReplicationError {
  return new ReplicationError('PEER_AUTHENTICATION', `Cannot trust the peer: ${reason}`, {
    hint: 'Give all nodes of the cluster the same secret',
  });
}
