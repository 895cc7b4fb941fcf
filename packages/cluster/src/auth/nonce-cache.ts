// Nonces that were seen, for as long as the signatures with them are valid: each is good for one
// request. Only nonces of valid signatures come in here, so nobody else can fill it.

/** Connections, and requests between nodes, within two minutes; a node makes about one a second. */
const NONCE_COUNT_MAX = 65_536;

export class NonceCache {
  readonly #countMax: number;
  /** When each may be forgotten; in the order in which they came. */
  readonly #expiries = new Map<string, number>();

  constructor(countMax: number = NONCE_COUNT_MAX) {
    this.#countMax = countMax;
  }

  /** False for one that was seen already; also when there is no room to remember it. */
  tryUse(nonce: string, nowMs: number, expiryMs: number): boolean {
    this.#forget(nowMs);
    if (this.#expiries.has(nonce) || this.#expiries.size >= this.#countMax) return false;
    this.#expiries.set(nonce, expiryMs);
    return true;
  }

  /** Nearly in the order of expiry, so what is kept a little too long does no harm. */
  #forget(nowMs: number): void {
    for (const [nonce, expiryMs] of this.#expiries) {
      if (expiryMs > nowMs) return;
      this.#expiries.delete(nonce);
    }
  }
}
