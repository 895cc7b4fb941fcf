// A database as it was at one moment, for somebody who reads it slowly: an export, a backup, a new
// replica. Writers are not held up; a page that one of them replaces before it was read is kept
// aside.
//
// The reader goes through the pages in order, so that what lies behind it needs no care. In WAL
// mode a page is where it was when the snapshot was taken, in the file or in a frame, until
// SQLite's checkpoint copies a later version over it; all frames are copied before a WAL is begun
// anew.
//
// A page that cannot be kept, on a full disk, is the reader's failure and not the writer's.

import { assert } from '@skein/bytes';
import { DiskError } from '@skein/host';

import type { Database, PageKeeper } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import type { CommittedWal } from '../database/wal-generation.ts';
import { EngineError } from '../errors.ts';
import type { PageStore } from '../pages/page-store.ts';

/** The WAL beside a database. */
export interface SnapshotWal {
  /** What is in the log of it; undefined while it has no header. */
  readonly committed: CommittedWal | undefined;
  /** Reads the page of a frame. */
  readFrame(frame: number, into: Uint8Array): void;
}

export interface SnapshotOptions {
  readonly database: Database;
  /** The state that is in the database file and the WAL. */
  readonly state: DatabaseState;
  readonly wal: SnapshotWal | undefined;
  /** Where pages are kept that are replaced too early. */
  readonly kept: PageStore;
}

export class Snapshot implements PageKeeper {
  readonly state: DatabaseState;
  readonly #database: Database;
  readonly #incarnation: number;
  readonly #kept: PageStore;
  readonly #wal: SnapshotWal | undefined;
  /** The WAL as it was; undefined when there was nothing in it. */
  readonly #committed: CommittedWal | undefined;
  readonly #lastFrame: number;
  readonly #page: Uint8Array;
  #nextPgno = 1;
  #isOpen = true;
  /** Why a page is lost that was not read. */
  #failure: DiskError | undefined;

  /** Everything that is committed must be durable, and in the database file or the WAL. */
  constructor({ database, state, wal, kept }: SnapshotOptions) {
    assert(state.pageSize !== undefined, 'There is nothing to take a snapshot of');
    this.state = state;
    this.#database = database;
    this.#incarnation = database.incarnation;
    this.#kept = kept;
    this.#wal = wal;
    this.#committed = wal?.committed;
    this.#lastFrame = this.#committed?.frames.count ?? 0;
    this.#page = new Uint8Array(state.pageSize);
    database.addKeeper(this);
  }

  get pageSize(): number {
    return this.#page.length;
  }

  /** The page that readPage() gives next; above the page count at the end. */
  get nextPgno(): number {
    return this.#nextPgno;
  }

  /**
   * Reads the next page. False at the end. Throws when the database was dropped meanwhile, or a
   * page could not be kept.
   */
  readPage(into: Uint8Array, offset: number): boolean {
    assert(this.#isOpen, 'Reads a snapshot that was closed');
    if (this.#failure !== undefined) throw this.#failure;
    const pgno = this.#nextPgno;
    if (pgno > this.state.pageCount) return false;
    this.#nextPgno++;
    if (!this.#kept.read(pgno, into, offset)) this.#readCurrent(pgno, into, offset);
    return true;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#database.removeKeeper(this);
    this.#kept.clear();
  }

  beforeReplace(pgno: number, walFrame: number): void {
    if (pgno < this.#nextPgno || pgno > this.state.pageCount || this.#kept.has(pgno)) return;
    if (this.#failure !== undefined) return;
    // The version of the snapshot is in a frame, and this is not a later one: nothing is lost.
    if (walFrame > 0 && this.#isSameWal && walFrame <= this.#lastFrame) return;
    try {
      this.#readCurrent(pgno, this.#page, 0);
      this.#kept.write(pgno, this.#page, 0, this.#page.length);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#failure = error;
      this.#database.removeKeeper(this);
      this.#kept.clear();
    }
  }

  beforeCut(firstPgno: number): void {
    const first = Math.max(firstPgno, this.#nextPgno);
    for (let pgno = first; pgno <= this.state.pageCount; pgno++) this.beforeReplace(pgno, 0);
  }

  get #isSameWal(): boolean {
    return this.#committed !== undefined && this.#wal?.committed === this.#committed;
  }

  #readCurrent(pgno: number, into: Uint8Array, offset: number): void {
    if (this.#database.incarnation !== this.#incarnation) {
      const { name } = this.#database;
      throw new EngineError(
        'DATABASE_NOT_FOUND',
        `Cannot read ${name} on: it was dropped meanwhile`,
      );
    }
    const { pageSize } = this;
    const target = into.subarray(offset, offset + pageSize);
    const frame = this.#isSameWal
      ? this.#committed!.frames.findAtOrBefore(pgno, this.#lastFrame)
      : 0;
    if (frame > 0) {
      this.#wal!.readFrame(frame, target);
      return;
    }
    const count = this.#database.readFile(target, 0, pageSize, (pgno - 1) * pageSize);
    target.fill(0, count);
  }
}
