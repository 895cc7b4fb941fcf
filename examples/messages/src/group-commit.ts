// Puts what comes together into one transaction: a commit waits for the disk, whether it is of one
// row or of thirty. While one is under way requests arrive; the next one takes them all.
//
// Nobody is answered before the commit of what they asked for, and when it fails all learn of it.

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Those that came first wait no longer for more. */
const GROUP_MAX = 100;

export class GroupCommit<Item, Result> {
  readonly #commit: (items: readonly Item[]) => readonly Result[];
  #waiting: Waiting<Item, Result>[] = [];

  /** `commit`: puts all into one transaction, and returns what became of each. */
  constructor(commit: (items: readonly Item[]) => readonly Result[]) {
    this.#commit = commit;
  }

  /** Resolves when it is committed. Rejects with what `commit` throws. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) this.#runSoon(0);
    });
  }

  /** When a turn of the event loop has brought no more: of new connections each accepts one. */
  #runSoon(countBefore: number): void {
    setImmediate(() => {
      const count = this.#waiting.length;
      if (count > countBefore && count < GROUP_MAX) this.#runSoon(count);
      else this.#run();
    });
  }

  #run(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const results = this.#commit(waiting.map(({ item }) => item));
      for (const [index, { resolve }] of waiting.entries()) resolve(results[index]!);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
