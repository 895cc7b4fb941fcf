// What a client has written to a database file and not committed, laid over what is committed: the
// pages of a transaction in a rollback mode, or of a file that is being copied to a new name.
//
// The database file itself is not touched. A rollback is the client's own business: it writes the
// old pages back, from its journal, and then the overlay holds nothing that differs.

import { assert } from '@skein/bytes';
import { DiskError } from '@skein/host';
import {
  databasePageCount,
  decodeDatabaseHeader,
  PAGE_SIZE_MAX,
  SqliteFormatError,
} from '@skein/sqlite-file';

import type { Database } from '../database/database.ts';
import type { PageStore } from '../pages/page-store.ts';
import type { PageSource } from './transaction.ts';

/** Page numbers have 32 bits, of which SQLite leaves the highest number out. */
const PAGE_COUNT_MAX = 0xffff_fffe;

export class Overlay implements PageSource {
  readonly #database: Database;
  readonly #pages: PageStore;
  readonly #page = new Uint8Array(PAGE_SIZE_MAX);
  #pageSize = 0;
  #sizeBytes = 0;
  #keptPageCount = 0;
  #isActive = false;

  constructor(database: Database, pages: PageStore) {
    this.#database = database;
    this.#pages = pages;
  }

  /** Whether the client has written anything since the last commit. */
  get isActive(): boolean {
    return this.#isActive;
  }

  get pageSize(): number {
    return this.#pageSize;
  }

  /** Size of the file as the client has made it. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Committed pages that are still part of the file: it may have been cut and have grown again. */
  get keptPageCount(): number {
    return this.#keptPageCount;
  }

  /** Size of the database in pages, as its header and the size of the file say. */
  get pageCount(): number {
    return databasePageCount(decodeDatabaseHeader(this.#firstPage()), this.#sizeBytes);
  }

  /** Whether it is a database as it stands: as long as its header says. */
  get isWhole(): boolean {
    try {
      return this.#sizeBytes === this.pageCount * this.headerPageSize;
    } catch (error) {
      if (!(error instanceof SqliteFormatError)) throw error;
      return false;
    }
  }

  /** Page size that the first page names, which may be another than the pages have. */
  get headerPageSize(): number {
    return decodeDatabaseHeader(this.#firstPage()).pageSize;
  }

  /** Throws DiskError when there is no room, and then may have taken a part. */
  write(from: Uint8Array, offset: number, length: number, position: number): void {
    const pageSize = this.#pageSize;
    assert(this.#isActive && pageSize > 0, 'The overlay was not begun');
    const end = position + length;
    this.#checkEnd(end);
    for (let at = position; at < end;) {
      const pgno = Math.floor(at / pageSize) + 1;
      const pageStart = (pgno - 1) * pageSize;
      const pieceEnd = Math.min(end, pageStart + pageSize);
      const source = offset + at - position;
      if (pieceEnd - at === pageSize) this.#writePage(pgno, from, source);
      else this.#writePart(pgno, from.subarray(source, source + pieceEnd - at), at - pageStart);
      at = pieceEnd;
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
  }

  /** Puts the overlay over `length` bytes that were read from the file at `position`. */
  patch(into: Uint8Array, offset: number, length: number, position: number): void {
    const pageSize = this.#pageSize;
    const last = Math.floor((position + length - 1) / pageSize) + 1;
    for (let pgno = Math.floor(position / pageSize) + 1; pgno <= last; pgno++) {
      const page = this.#current(pgno);
      if (page === undefined) continue;
      const pageStart = (pgno - 1) * pageSize;
      const from = Math.max(pageStart, position);
      const to = Math.min(pageStart + pageSize, position + length);
      into.set(page.subarray(from - pageStart, to - pageStart), offset + from - position);
    }
  }

  truncate(sizeBytes: number): void {
    assert(this.#isActive, 'The overlay was not begun');
    this.#checkEnd(sizeBytes);
    const pageCount = Math.ceil(sizeBytes / this.#pageSize);
    this.#keptPageCount = Math.min(this.#keptPageCount, pageCount);
    // What was cut off is zeros if the file grows over it again.
    this.#page.fill(0);
    for (const pgno of this.#pages.pages()) {
      if (pgno > pageCount) this.#pages.write(pgno, this.#page, 0, this.#pageSize);
    }
    this.#sizeBytes = sizeBytes;
  }

  /** Starts to take writes, over the committed pages. */
  begin(pageSize: number): void {
    if (this.#isActive) return;
    const { state } = this.#database;
    this.#pageSize = pageSize;
    this.#keptPageCount = state.pageCount;
    this.#sizeBytes = state.pageCount * pageSize;
    this.#isActive = true;
  }

  clear(): void {
    this.#pages.clear();
    this.#isActive = false;
  }

  pages(): Uint32Array {
    return this.#pages.pages();
  }

  view(pgno: number, buffer: Uint8Array): Uint8Array | undefined {
    return this.#pages.view(pgno, buffer);
  }

  #checkEnd(end: number): void {
    if (end <= PAGE_COUNT_MAX * this.#pageSize) return;
    throw new DiskError('overlay.write', this.#database.name, 'EFBIG');
  }

  /** What a page is as the client sees it, where that is not what is committed. */
  #current(pgno: number): Uint8Array | undefined {
    const page = this.#pages.view(pgno, this.#page);
    if (page !== undefined || pgno <= this.#keptPageCount) return page;
    return this.#page.fill(0, 0, this.#pageSize).subarray(0, this.#pageSize);
  }

  #writePage(pgno: number, from: Uint8Array, offset: number): void {
    try {
      this.#pages.write(pgno, from, offset, this.#pageSize);
    } catch (error) {
      // A full disk: the client rolls back, and what it then writes is committed already. Without
      // room for that every reader would find the journal hot, and fail to play it back.
      const isShown = pgno <= this.#keptPageCount && !this.#pages.has(pgno);
      const page = from.subarray(offset, offset + this.#pageSize);
      if (!isShown || !this.#database.hasPage(pgno, page)) throw error;
    }
  }

  #writePart(pgno: number, bytes: Uint8Array, at: number): void {
    const page = this.#page.subarray(0, this.#pageSize);
    if (!this.#pages.read(pgno, page, 0)) {
      page.fill(0);
      if (pgno <= this.#keptPageCount) this.#database.readPage(pgno, page);
    }
    page.set(bytes, at);
    this.#pages.write(pgno, page, 0, this.#pageSize);
  }

  #firstPage(): Uint8Array {
    const page = this.#page.subarray(0, Math.max(this.#pageSize, 512));
    const own = this.#pages.view(1, page);
    if (own !== undefined) return own;
    if (!this.#database.readPage(1, page)) page.fill(0);
    return page;
  }
}
