// How often a login may be tried. Each failure counts for the user, for the address, and for both
// together; beyond a few the wait doubles with each further one. It is kept in memory, on the node
// that executes logins, and bounded: what was tried longest ago is forgotten first.

export interface Attempt {
  readonly username: string;
  /** Undefined where it is not known: then all of them are not taken for one. */
  readonly address: string | undefined;
}

interface Bucket {
  /** Failures that cost nothing but themselves. */
  readonly free: number;
  /** Undefined for an attempt that does not count here. */
  readonly key: (attempt: Attempt) => string | undefined;
}

const BUCKETS: readonly Bucket[] = [
  { free: 5, key: ({ username, address }) => `both ${address ?? ''} ${username}` },
  // Many may share an address, and many guess one name: neither is to shut out others quickly.
  { free: 20, key: ({ username }) => `user ${username}` },
  { free: 30, key: ({ address }) => (address === undefined ? undefined : `address ${address}`) },
];

const FIRST_WAIT_MS = 1000;
const WAIT_MS_MAX = 5 * 60_000;
/** After it failures are forgotten. */
const FORGET_MS = 60 * 60_000;
/** Some MB at most. */
const ENTRIES_MAX = 20_000;

interface Entry {
  failures: number;
  lastMs: number;
}

export class LoginAttempts {
  /** In the order of their last failures. */
  readonly #entries = new Map<string, Entry>();

  /** How long to wait before the next try; 0 if it may be now. */
  waitMs(attempt: Attempt, nowMs: number): number {
    const waits = BUCKETS.map((bucket) => {
      const entry = this.#entryOf(bucket, attempt);
      if (entry === undefined || nowMs - entry.lastMs > FORGET_MS) return 0;
      return entry.lastMs + delayMs(entry.failures - bucket.free) - nowMs;
    });
    return Math.max(0, ...waits);
  }

  /** Counts a try, before it is known how it ends: many at once are as many failures. */
  begin(attempt: Attempt, nowMs: number): void {
    for (const bucket of BUCKETS) {
      const key = bucket.key(normalize(attempt));
      if (key === undefined) continue;
      const known = this.#entries.get(key);
      const isOver = known === undefined || nowMs - known.lastMs > FORGET_MS;
      this.#entries.delete(key);
      this.#entries.set(key, { failures: isOver ? 1 : known.failures + 1, lastMs: nowMs });
    }
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= ENTRIES_MAX) break;
      this.#entries.delete(key);
    }
  }

  /** The password was right: the user is not to wait for his own mistakes. */
  succeed(attempt: Attempt): void {
    const own = this.#entryOf(BUCKETS[0]!, attempt);
    if (own !== undefined) own.failures = 0;
    for (const bucket of BUCKETS.slice(1)) {
      const entry = this.#entryOf(bucket, attempt);
      if (entry !== undefined) entry.failures--;
    }
  }

  #entryOf(bucket: Bucket, attempt: Attempt): Entry | undefined {
    const key = bucket.key(normalize(attempt));
    return key === undefined ? undefined : this.#entries.get(key);
  }

  get size(): number {
    return this.#entries.size;
  }
}

function delayMs(excess: number): number {
  return excess < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(excess, 20), WAIT_MS_MAX);
}

/** A username of any length is a key of few bytes; one client has a whole /64 of IPv6. */
function normalize({ username, address }: Attempt): Attempt {
  return {
    username: username.toLowerCase().slice(0, 64),
    address: address === undefined ? undefined : networkOf(address),
  };
}

function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.slice(0, 64);
  const [head = '', tail] = address.toLowerCase().split('::');
  const parts = head.split(':');
  // "::" stands for zeros, of which there are enough to reach the first 64 bits.
  const filled = tail === undefined ? parts : [...parts, '0', '0', '0', '0'];
  return filled.slice(0, 4).join(':').slice(0, 64);
}
