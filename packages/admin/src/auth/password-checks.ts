// The place where passwords of strangers are checked: only so often, only so many at once, and in
// the same time and words whether there is such a user or not.

import { randomBytes } from 'node:crypto';

import { LoginAttempts } from './attempts.ts';
import { hashPassword, type ScryptParameters, verifyPassword } from './password.ts';

/** Each takes a thread of Node's pool, which has four, and some 32 MiB. */
const CHECKS_MAX = 2;
/** More are told to come back. */
const WAITING_MAX = 32;

export interface PasswordTry {
  readonly username: string;
  readonly password: string;
  /** Undefined where nobody has that name. */
  readonly hash: string | undefined;
  readonly address: string | undefined;
  readonly nowMs: number;
}

export type PasswordResult =
  | { readonly kind: 'right'; readonly newHash: string | undefined }
  | { readonly kind: 'wrong' }
  /** Not looked at. */
  | { readonly kind: 'wait'; readonly waitMs: number };

const BUSY_WAIT_MS = 1000;

export class PasswordChecks {
  readonly parameters: ScryptParameters;
  readonly #attempts = new LoginAttempts();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  /** Of a password that nobody has. */
  #nobody: Promise<string> | undefined;

  constructor(parameters: ScryptParameters) {
    this.parameters = parameters;
  }

  /** `newHash` is given for a right password that was hashed with other parameters. */
  async check(tried: PasswordTry): Promise<PasswordResult> {
    const { nowMs, password } = tried;
    const waitMs = this.#attempts.waitMs(tried, nowMs);
    if (waitMs > 0) return { kind: 'wait', waitMs };
    if (this.#waiting.length >= WAITING_MAX) return { kind: 'wait', waitMs: BUSY_WAIT_MS };
    this.#attempts.begin(tried, nowMs);
    const { isRight, isOutdated } = await this.#inTurn(async () => {
      // Made at the first try of anybody: it must not take longer for who is not there.
      const nobodys = await this.#nobodysHash();
      const hash = tried.hash ?? nobodys;
      const verdict = await verifyPassword(password, hash, this.parameters);
      return tried.hash === undefined ? { isRight: false, isOutdated: false } : verdict;
    });
    if (!isRight) return { kind: 'wrong' };
    this.#attempts.succeed(tried);
    return { kind: 'right', newHash: isOutdated ? await this.hash(password) : undefined };
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPassword(password, this.parameters));
  }

  #nobodysHash(): Promise<string> {
    return (this.#nobody ??= hashPassword(randomBytes(16).toString('hex'), this.parameters));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= CHECKS_MAX) {
      // Whoever ends gives its place to the first that waits.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
