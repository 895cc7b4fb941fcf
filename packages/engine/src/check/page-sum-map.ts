// Checksums of the pages that the log has of one database, and sets of pages: both for page numbers
// that come in runs, and small beside the database (8 bytes a page, 1 bit a page).

const BLOCK_PAGES = 512;

/**
 * Page numbers to checksums, in halves as LTX stores them: bit 63 set, so that 0 stands for none.
 */
export class PageSumMap {
  readonly #blocks = new Map<number, Uint32Array>();

  /** Upper half, 0 for a page that is not here. */
  hi(pgno: number): number {
    return this.#blocks.get(blockOf(pgno))?.[slotOf(pgno) * 2 + 1] ?? 0;
  }

  lo(pgno: number): number {
    return this.#blocks.get(blockOf(pgno))?.[slotOf(pgno) * 2] ?? 0;
  }

  has(pgno: number): boolean {
    return this.hi(pgno) !== 0;
  }

  set(pgno: number, hi: number, lo: number): void {
    let block = this.#blocks.get(blockOf(pgno));
    if (block === undefined) {
      block = new Uint32Array(BLOCK_PAGES * 2);
      this.#blocks.set(blockOf(pgno), block);
    }
    const at = slotOf(pgno) * 2;
    block[at] = lo;
    block[at + 1] = hi;
  }

  /** Forgets all pages above the new end of a database. */
  cut(pageCount: number): void {
    for (const [number, block] of this.#blocks) {
      const kept = Math.max(0, pageCount - number * BLOCK_PAGES);
      if (kept < BLOCK_PAGES) block.fill(0, kept * 2);
    }
  }

  clear(): void {
    this.#blocks.clear();
  }
}

export class PageSet {
  readonly #blocks = new Map<number, Uint8Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(pgno: number): boolean {
    return this.#blocks.get(blockOf(pgno))?.[slotOf(pgno)] === 1;
  }

  add(pgno: number): void {
    let block = this.#blocks.get(blockOf(pgno));
    if (block === undefined) {
      block = new Uint8Array(BLOCK_PAGES);
      this.#blocks.set(blockOf(pgno), block);
    }
    const slot = slotOf(pgno);
    if (block[slot] === 1) return;
    block[slot] = 1;
    this.#size++;
  }

  cut(pageCount: number): void {
    for (const [number, block] of this.#blocks) {
      const kept = Math.max(0, pageCount - number * BLOCK_PAGES);
      for (let slot = kept; slot < BLOCK_PAGES; slot++) {
        this.#size -= block[slot]!;
        block[slot] = 0;
      }
    }
  }

  clear(): void {
    this.#blocks.clear();
    this.#size = 0;
  }
}

function blockOf(pgno: number): number {
  return Math.floor((pgno - 1) / BLOCK_PAGES);
}

function slotOf(pgno: number): number {
  return (pgno - 1) % BLOCK_PAGES;
}
