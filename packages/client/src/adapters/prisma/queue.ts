// One after the other: SQLite has one writer, and a driver that does not wait blocks the process in
// which the writer that it waits for would go on.

export class Queue {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, with what ends the turn. */
  async enter(): Promise<() => void> {
    const before = this.#last;
    const own = Promise.withResolvers<void>();
    this.#last = own.promise;
    await before;
    return own.resolve;
  }
}
