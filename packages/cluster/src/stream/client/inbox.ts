// What came over a stream and has not been handed on yet: the stream is read while the log is being
// synced, so that the next sync has more to do. Bounded: reading stops when there is enough.

import type { ReceivedTransaction } from '../../ports.ts';

export type InboxItem =
  | { readonly kind: 'transactions'; readonly transactions: ReceivedTransaction[] }
  | {
      readonly kind: 'file-begin';
      readonly database: string;
      readonly epoch: number;
      readonly id: string;
      readonly offset: number;
    }
  | { readonly kind: 'file-bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file-end' }
  | { readonly kind: 'ready' }
  /** All that was sent before this time has come before it. */
  | { readonly kind: 'heartbeat'; readonly wallMs: number }
  /** Nothing more comes. */
  | { readonly kind: 'end' };

/** Enough for one sync of a disk to be worth it. */
const FULL_BYTES = 4 * 1024 * 1024;

interface Entry {
  readonly item: InboxItem;
  byteCount: number;
}

export class Inbox {
  #entries: Entry[] = [];
  #byteCount = 0;
  #wake: (() => void) | undefined;

  /** Whether nothing more should be read for now. */
  get isFull(): boolean {
    return this.#byteCount >= FULL_BYTES;
  }

  addTransaction(transaction: ReceivedTransaction): void {
    const last = this.#entries.at(-1);
    const byteCount = transaction.bytes.length;
    if (last?.item.kind === 'transactions' && last.byteCount < FULL_BYTES) {
      last.item.transactions.push(transaction);
      last.byteCount += byteCount;
    } else {
      this.#entries.push({
        item: { kind: 'transactions', transactions: [transaction] },
        byteCount,
      });
    }
    this.#grow(byteCount);
  }

  add(item: InboxItem): void {
    const byteCount = item.kind === 'file-bytes' ? item.bytes.length : 0;
    this.#entries.push({ item, byteCount });
    this.#grow(byteCount);
  }

  /** The oldest item; waits until there is one. Rejects when the signal is aborted. */
  async next(signal: AbortSignal): Promise<InboxItem> {
    while (this.#entries.length === 0) await this.#wait(signal);
    signal.throwIfAborted();
    const { item, byteCount } = this.#entries.shift()!;
    this.#byteCount -= byteCount;
    return item;
  }

  #grow(byteCount: number): void {
    this.#byteCount += byteCount;
    this.#wake?.();
  }

  #wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    this.#wake = resolve;
    return promise.finally(() => {
      this.#wake = undefined;
      signal.removeEventListener('abort', onAbort);
    });
  }
}
