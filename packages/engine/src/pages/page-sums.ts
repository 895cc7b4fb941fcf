// A list of pages with their checksums that grows: plain numbers in two arrays, since a transaction
// may have millions.

export class PageSums {
  #pgnos: Uint32Array;
  #checksums: Uint32Array;
  #count = 0;

  /** `capacity`: about as many will be added. */
  constructor(capacity: number) {
    this.#pgnos = new Uint32Array(capacity);
    this.#checksums = new Uint32Array(capacity * 2);
  }

  get count(): number {
    return this.#count;
  }

  /** In the order in which they were added. */
  get pgnos(): Uint32Array {
    return this.#pgnos.subarray(0, this.#count);
  }

  /** Lower and upper half for each page. */
  get checksums(): Uint32Array {
    return this.#checksums.subarray(0, this.#count * 2);
  }

  add(pgno: number, hi: number, lo: number): void {
    if (this.#count === this.#pgnos.length) this.#grow();
    this.#pgnos[this.#count] = pgno;
    this.#checksums[this.#count * 2] = lo;
    this.#checksums[this.#count * 2 + 1] = hi;
    this.#count++;
  }

  #grow(): void {
    const capacity = Math.max(this.#count * 2, 16);
    const pgnos = new Uint32Array(capacity);
    pgnos.set(this.#pgnos);
    this.#pgnos = pgnos;
    const checksums = new Uint32Array(capacity * 2);
    checksums.set(this.#checksums);
    this.#checksums = checksums;
  }
}
