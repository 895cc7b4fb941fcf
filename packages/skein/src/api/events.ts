// What happens on a node, told as it happens: GET /events, a line of JSON each. The shape of init
// and tx is LiteFS's.
//
//   {"type":"init","data":{"isPrimary":false,"hostname":"node1","role":"replica","epoch":65543}}
//   {"type":"tx","db":"app.db","data":{"txID":"000000000000002a","postApplyChecksum":"…",…}}
//   {"type":"role","data":{…}}                     as init, when it changes
//   {"type":"lag","data":{"lagMs":12}}             on a replica, once a second
//   {"type":"diverged","data":{"folder":"…"}}      transactions of its own were put aside
//
// Invariant: who is too slow is cut off, with no event left out before the cut.

import { assert } from '@skein/bytes';

export interface RoleData {
  readonly isPrimary: boolean;
  /** Of the primary, on a node that is not. */
  readonly hostname?: string;
  readonly role: string;
  readonly epoch: number;
}

export interface TransactionData {
  readonly txID: string;
  readonly postApplyChecksum: string;
  readonly pageSize: number;
  /** Size of the database in pages. */
  readonly commit: number;
  /** When it was committed. */
  readonly timestamp: string;
}

export type NodeEvent =
  | { readonly type: 'init'; readonly data: RoleData }
  | { readonly type: 'role'; readonly data: RoleData }
  | { readonly type: 'tx'; readonly db: string; readonly data: TransactionData }
  | { readonly type: 'lag'; readonly data: { readonly lagMs: number } }
  | { readonly type: 'diverged'; readonly data: { readonly folder: string } };

export interface Subscriber {
  /** Takes a line. Returns how many bytes wait to be read. */
  readonly write: (line: string) => number;
  /** It is cut off: too slow, or the node ends. */
  readonly end: () => void;
}

/** Some thousand events: who has not read those is not going to. */
const WAITING_BYTES_MAX = 1024 * 1024;
const SUBSCRIBER_COUNT_MAX = 64;

/** Of the events above, or of others that are told the same way. */
export class EventHub<E = NodeEvent> {
  readonly #subscribers = new Set<Subscriber>();
  readonly #listeners = new Set<(count: number) => void>();

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  /** Told how many there are now: what nobody reads need not be found out. */
  onCount(listener: (count: number) => void): void {
    this.#listeners.add(listener);
  }

  /** Whether as many listen as may. */
  get isFull(): boolean {
    return this.#subscribers.size >= SUBSCRIBER_COUNT_MAX;
  }

  /** Returns what ends it. Not to be called when it is full. */
  subscribe(subscriber: Subscriber, first: E): () => void {
    assert(!this.isFull, 'Who listens was let in');
    this.#subscribers.add(subscriber);
    subscriber.write(format(first));
    this.#tellCount();
    return () => this.#remove(subscriber);
  }

  publish(event: E): void {
    if (this.#subscribers.size === 0) return;
    const line = format(event);
    for (const subscriber of this.#subscribers) {
      if (subscriber.write(line) <= WAITING_BYTES_MAX) continue;
      this.#remove(subscriber);
      subscriber.end();
    }
  }

  close(): void {
    for (const subscriber of this.#subscribers) {
      this.#remove(subscriber);
      subscriber.end();
    }
  }

  #remove(subscriber: Subscriber): void {
    if (this.#subscribers.delete(subscriber)) this.#tellCount();
  }

  #tellCount(): void {
    for (const listener of this.#listeners) listener(this.#subscribers.size);
  }
}

function format(event: unknown): string {
  return `${JSON.stringify(event)}\n`;
}
