// Proves to peers that this node knows the secret of the cluster, and has them prove it.
//
// A request is signed over its method, its path and what its headers say; the answer is signed over
// the signature of the request and what the answer's headers say. So both sides know, and neither
// can be made to say something else on the way. What follows on the connection is not signed: where
// others can write into the network, use TLS. The secret is in no message and no error.

import { assert } from '@skein/bytes';
import type { Clock, Random } from '@skein/host';

import { ReplicationError } from '../errors.ts';
import { NonceCache } from './nonce-cache.ts';
import {
  computeMac,
  deriveKey,
  formatSignature,
  isSameMac,
  parseSignature,
  refused,
  type Signature,
} from './signature.ts';

/** How far the clocks of two nodes may differ, and for how long a signature can be used. */
export const SIGNATURE_VALID_MS = 60_000;

const NONCE_BYTES = 16;

export interface AuthenticatorOptions {
  readonly secret: string;
  readonly clock: Clock;
  readonly random: Random;
}

export class Authenticator {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #requestKey: Uint8Array;
  readonly #answerKey: Uint8Array;
  readonly #nonces = new NonceCache();

  constructor({ secret, clock, random }: AuthenticatorOptions) {
    assert(secret !== '', 'A secret is empty');
    this.#clock = clock;
    this.#random = random;
    this.#requestKey = deriveKey(secret, 'request');
    this.#answerKey = deriveKey(secret, 'answer');
  }

  /** The signature of a request of which these are the parts. */
  sign(parts: readonly string[]): string {
    const bytes = new Uint8Array(NONCE_BYTES);
    this.#random.fill(bytes);
    const nonce = Buffer.from(bytes).toString('hex');
    const timestampMs = Math.floor(this.#clock.wallMs());
    return formatSignature({ timestampMs, nonce, mac: this.#macOf(timestampMs, nonce, parts) });
  }

  /** Throws ReplicationError unless the sender of the request knew the secret, just now. */
  verify(signature: string | undefined, parts: readonly string[]): void {
    const { timestampMs, nonce, mac } = parseSignature(signature);
    if (!isSameMac(mac, this.#macOf(timestampMs, nonce, parts)))
      throw refused('the secret differs');
    this.#checkTime(timestampMs);
    const isNew = this.#nonces.tryUse(
      nonce,
      this.#clock.wallMs(),
      timestampMs + SIGNATURE_VALID_MS,
    );
    if (!isNew) throw refused('the signature was used already');
  }

  /** The signature of an answer to the request that had the signature `request`. */
  signAnswer(request: string, parts: readonly string[]): string {
    return computeMac(this.#answerKey, [request, ...parts]);
  }

  /** Throws ReplicationError unless the answer comes from who knows the secret. */
  verifyAnswer(signature: string | undefined, request: string, parts: readonly string[]): void {
    if (signature === undefined) throw refused('its answer has no signature');
    if (isSameMac(signature, this.signAnswer(request, parts))) return;
    throw refused('its answer has a wrong signature');
  }

  #macOf(
    timestampMs: Signature['timestampMs'],
    nonce: Signature['nonce'],
    parts: readonly string[],
  ): string {
    return computeMac(this.#requestKey, [String(timestampMs), nonce, ...parts]);
  }

  #checkTime(timestampMs: number): void {
    const aheadMs = timestampMs - this.#clock.wallMs();
    if (Math.abs(aheadMs) < SIGNATURE_VALID_MS) return;
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    const direction = aheadMs > 0 ? 'ahead' : 'behind';
    const message = `Cannot trust the peer: its clock is ${seconds} s ${direction} of ours`;
    throw new ReplicationError('PEER_CLOCK', message, {
      hint: 'Set the clocks of the nodes by NTP',
    });
  }
}
