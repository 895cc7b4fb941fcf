// A map from page number to a 32-bit value that costs 8 bytes an entry where a Map costs about 60:
// a transaction may touch every page of a database.
//
// Open addressing with linear probing in one Uint32Array of (key, value) pairs; key 0 is an empty
// place, since pages are numbered from 1. Entries are never removed one by one, only all at once.

const CAPACITY_MIN = 64;

/** Above this share of used places the table doubles: 3/4. */
const LOAD_MAX_NUMERATOR = 3;
const LOAD_MAX_DENOMINATOR = 4;

/** Fibonacci hashing: 2^32 divided by the golden ratio spreads neighbouring numbers. */
const GOLDEN = 0x9e3779b1;

export class PageMap {
  #table = new Uint32Array(CAPACITY_MIN * 2);
  #capacity = CAPACITY_MIN;
  #shift = 32 - Math.log2(CAPACITY_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value of a page, or -1. */
  get(pgno: number): number {
    const table = this.#table;
    const mask = this.#capacity - 1;
    for (let i = this.#slotOf(pgno); ; i = (i + 1) & mask) {
      const key = table[i * 2];
      if (key === pgno) return table[i * 2 + 1]!;
      if (key === 0) return -1;
    }
  }

  has(pgno: number): boolean {
    return this.get(pgno) !== -1;
  }

  /** Sets the value of a page: an integer from 0 to 2^32 - 2. */
  set(pgno: number, value: number): void {
    if (this.#size * LOAD_MAX_DENOMINATOR >= this.#capacity * LOAD_MAX_NUMERATOR) this.#grow();
    if (this.#place(pgno, value)) this.#size++;
  }

  /** Forgets everything, and the memory of a large table with it. */
  clear(): void {
    if (this.#size === 0) return;
    if (this.#capacity > CAPACITY_MIN) this.#reset(CAPACITY_MIN);
    else this.#table.fill(0);
    this.#size = 0;
  }

  /**
   * The pages in ascending order, as a view of `into`, or of new memory where that is too small.
   */
  sortedPages(into?: Uint32Array): Uint32Array {
    const pages =
      into !== undefined && into.length >= this.#size
        ? into.subarray(0, this.#size)
        : new Uint32Array(this.#size);
    let count = 0;
    const table = this.#table;
    for (let i = 0; i < table.length; i += 2) {
      const key = table[i]!;
      if (key !== 0) pages[count++] = key;
    }
    return pages.sort();
  }

  #slotOf(pgno: number): number {
    return Math.imul(pgno, GOLDEN) >>> this.#shift;
  }

  #place(pgno: number, value: number): boolean {
    const table = this.#table;
    const mask = this.#capacity - 1;
    for (let i = this.#slotOf(pgno); ; i = (i + 1) & mask) {
      const key = table[i * 2];
      if (key === pgno || key === 0) {
        table[i * 2] = pgno;
        table[i * 2 + 1] = value;
        return key === 0;
      }
    }
  }

  #grow(): void {
    const old = this.#table;
    this.#reset(this.#capacity * 2);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0) this.#place(old[i]!, old[i + 1]!);
    }
  }

  #reset(capacity: number): void {
    this.#table = new Uint32Array(capacity * 2);
    this.#capacity = capacity;
    this.#shift = 32 - Math.log2(capacity);
  }
}
