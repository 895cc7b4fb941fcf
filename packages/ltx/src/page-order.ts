// Which page numbers may follow each other in a file. Encoder, decoder and compaction ask here.
//
// Numbers ascend, none is past the database's end or that of the lock page; a snapshot has them
// all.

import { LtxFormatError } from './errors.ts';
import { type LtxHeader, isSnapshot } from './header.ts';
import { lockPgno } from './page-number.ts';

export class PageOrder {
  readonly #commit: number;
  readonly #lockPgno: number;
  /** From here on no page may be left out. */
  readonly #completeFrom: number;
  #next: number;

  constructor(
    header: LtxHeader,
    completeFrom: number = isSnapshot(header) ? 1 : Number.POSITIVE_INFINITY,
  ) {
    this.#commit = header.commit;
    this.#lockPgno = lockPgno(header.pageSize);
    this.#completeFrom = this.#skipLockPage(completeFrom);
    this.#next = 1;
  }

  /** Throws unless the page may come next. `offset` is where it is in the file. */
  accept(pgno: number, offset: number): void {
    const isInOrder = pgno >= this.#next && pgno <= this.#nextRequired;
    if (!isInOrder || pgno > this.#commit || pgno === this.#lockPgno) {
      const range = `${this.#next} of ${this.#commit}`;
      const message = `LTX page ${pgno} is out of place: the next may be ${range}`;
      const details = { offset, expected: this.#next, actual: pgno };
      throw new LtxFormatError('LTX_PAGE_ORDER', message, details);
    }
    this.#next = this.#skipLockPage(pgno + 1);
  }

  /** Throws unless the page block may end here. */
  finish(offset: number): void {
    const missing = this.#nextRequired;
    if (missing > this.#commit) return;
    const message = `LTX file for ${this.#commit} pages is incomplete: page ${missing} is missing`;
    throw new LtxFormatError('LTX_SNAPSHOT_INCOMPLETE', message, { offset, expected: missing });
  }

  get #nextRequired(): number {
    return Math.max(this.#next, this.#completeFrom);
  }

  #skipLockPage(pgno: number): number {
    return pgno === this.#lockPgno ? pgno + 1 : pgno;
  }
}
