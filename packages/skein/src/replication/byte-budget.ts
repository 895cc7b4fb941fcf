// How many bytes may be under way to another thread: who has more to send waits, in order.

import { assert } from '@skein/bytes';

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

export class ByteBudget {
  readonly #bytesMax: number;
  readonly #waiters: Waiter[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Resolves when there is room; what is larger than all of it goes alone. */
  async take(bytes: number): Promise<void> {
    if (this.#waiters.length === 0 && this.#hasRoom(bytes)) {
      this.#bytes += bytes;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ bytes, resolve });
    await promise;
  }

  give(bytes: number): void {
    assert(bytes <= this.#bytes, 'Gives back more bytes than were taken');
    this.#bytes -= bytes;
    for (let next = this.#waiters[0]; next !== undefined; next = this.#waiters[0]) {
      if (!this.#hasRoom(next.bytes)) return;
      this.#waiters.shift();
      this.#bytes += next.bytes;
      next.resolve();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#bytesMax;
  }
}
