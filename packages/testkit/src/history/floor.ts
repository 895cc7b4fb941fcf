// What a read has to show at least. All promises about the order of reads have this form: something
// that ended before the read began has shown or made a state, and the read may not show an earlier
// one. They differ only in whose past counts: the node's, the session's, or everybody's.

/** Somebody knew at `ms` that the database is at `rank` at least: it has so many rows. */
interface Known<T> {
  readonly ms: number;
  readonly rank: number;
  readonly by: T;
}

export class Floor<T> {
  /** By time; each has a higher rank than all before it. */
  readonly #steps: Known<T>[] = [];

  constructor(known: readonly Known<T>[]) {
    for (const each of known.toSorted((a, b) => a.ms - b.ms)) {
      const last = this.#steps.at(-1);
      if (last === undefined || each.rank > last.rank) this.#steps.push(each);
    }
  }

  /** The highest that was known strictly before `ms`; undefined when nothing was. */
  maybeBefore(ms: number): Known<T> | undefined {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#steps[middle]!.ms < ms) low = middle + 1;
      else high = middle;
    }
    return this.#steps[low - 1];
  }
}
