// Work of one process that comes one after the other: a transaction whose steps are awaited would
// be blocked by another one that waits for its lock inside of SQLite, where nothing else runs.

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** When all work before has ended, well or not. */
  take<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
