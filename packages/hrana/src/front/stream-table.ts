// The streams that clients hold, each by a baton that is good for one request.
//
// A baton is the number of the stream, a secret, and how many requests there were. So what a client
// sends twice is executed once: the second one has a baton that is used up.
//
// Invariant: a stream that nobody has used for its time is closed, which rolls back what it began.

import { timingSafeEqual } from 'node:crypto';

import { assert } from '@skein/bytes';

import { HranaError } from '../errors.ts';

/** Where the connection of a stream is. */
export type StreamPlace =
  | { readonly kind: 'local' }
  /** At the primary, which has a baton of its own for it. */
  | { readonly kind: 'primary'; readonly url: string; readonly baton: string };

export interface HeldStream {
  readonly id: number;
  readonly database: string;
  place: StreamPlace;
}

export interface StreamTableOptions {
  readonly sizeMax: number;
  readonly idleMs: number;
  /** A stream has been idle for too long. */
  readonly onExpired: (stream: HeldStream) => void;
  readonly randomBytes: (count: number) => Buffer;
}

interface Entry extends HeldStream {
  readonly secret: string;
  useCount: number;
  /** Undefined while a request of it is under way. */
  timer: NodeJS.Timeout | undefined;
}

const SECRET_BYTES = 16;
const BATON = /^([1-9]\d{0,9})\.([0-9a-f]{32})\.(0|[1-9]\d{0,9})$/;

export class StreamTable {
  readonly #options: StreamTableOptions;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;

  constructor(options: StreamTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A number for a stream that may end with its first request. */
  nextId(): number {
    do {
      this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    } while (this.#entries.has(this.#lastId));
    return this.#lastId;
  }

  /** Throws HranaError when there are too many. */
  checkRoom(): void {
    if (this.#entries.size < this.#options.sizeMax) return;
    const message = `${this.#options.sizeMax} streams are open: close one, or wait`;
    throw new HranaError('STREAMS_FULL', message);
  }

  /** Keeps a stream whose first request has left it open. Returns its baton. */
  keep({ id, database, place }: HeldStream): string {
    assert(!this.#entries.has(id), 'A stream is kept once');
    const secret = this.#options.randomBytes(SECRET_BYTES).toString('hex');
    const entry: Entry = { id, database, place, secret, useCount: 0, timer: undefined };
    this.#entries.set(id, entry);
    return this.#rest(entry);
  }

  /** The stream of a baton, to be given back by rest() or end(). Throws HranaError. */
  take(baton: string, database: string): HeldStream {
    const [, id, secret, useCount] = BATON.exec(baton) ?? [];
    const entry = this.#entries.get(Number(id));
    if (entry === undefined || !isSame(entry.secret, secret!)) throw expired();
    if (entry.database !== database || entry.useCount !== Number(useCount)) throw expired();
    if (entry.timer === undefined) throw expired();
    clearTimeout(entry.timer);
    entry.timer = undefined;
    entry.useCount += 1;
    return entry;
  }

  /** A request of it has ended, and left it open. Returns its next baton. */
  rest({ id }: HeldStream): string {
    const entry = this.#entries.get(id);
    assert(entry !== undefined && entry.timer === undefined, 'A stream that was taken rests');
    return this.#rest(entry);
  }

  end({ id }: HeldStream): void {
    clearTimeout(this.#entries.get(id)?.timer);
    this.#entries.delete(id);
  }

  /** Those for which nothing is under way. */
  resting(): readonly HeldStream[] {
    return [...this.#entries.values()].filter(({ timer }) => timer !== undefined);
  }

  #rest(entry: Entry): string {
    entry.timer = setTimeout(() => {
      this.#entries.delete(entry.id);
      this.#options.onExpired(entry);
    }, this.#options.idleMs);
    return `${entry.id}.${entry.secret}.${entry.useCount}`;
  }
}

/** Both have the length that the pattern demands. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function expired(): HranaError {
  const message = 'The stream has ended: it was idle for too long, or its baton was used before';
  return new HranaError('STREAM_EXPIRED', message);
}
