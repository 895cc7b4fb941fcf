// Waiting for a node to change: for a position, or for a primary. Nothing is polled; each change of
// the view asks the question again, and a deadline or a client that left ends it.

import { assert } from '@skein/bytes';

import type { NodeView } from './node-view.ts';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export class WaitingRoom {
  readonly #view: Pick<NodeView, 'onChange'>;
  readonly #sizeMax: number;
  readonly #onSize: (size: number) => void;
  readonly #waiters = new Set<() => void>();

  constructor(
    view: Pick<NodeView, 'onChange'>,
    sizeMax: number,
    onSize: (size: number) => void = () => {},
  ) {
    this.#view = view;
    this.#sizeMax = sizeMax;
    this.#onSize = onSize;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Resolves as soon as `isOver` says so, or when there is no more time. At once where the room is
   * full. Never rejects.
   */
  wait(isOver: () => boolean, { timeoutMs, signal }: WaitOptions): Promise<void> {
    if (isOver() || signal.aborted || timeoutMs <= 0) return Promise.resolve();
    if (this.#waiters.size >= this.#sizeMax) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        assert(this.#waiters.delete(end), 'A waiter leaves once');
        this.#onSize(this.#waiters.size);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      const stop = this.#view.onChange(() => {
        if (isOver()) end();
      });
      signal.addEventListener('abort', end);
      this.#waiters.add(end);
      this.#onSize(this.#waiters.size);
    });
  }

  /** Nobody waits any longer. */
  clear(): void {
    for (const end of this.#waiters) end();
  }
}
