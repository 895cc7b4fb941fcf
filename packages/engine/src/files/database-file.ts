// The main file of a database, as clients read and write it. Writes are one of four things, told
// apart by what is there beside the file:
//
//   a live journal       a transaction in a rollback mode: kept in the overlay until it ends
//   a WAL with frames    SQLite's checkpoint: only pages that the log has, put into the file
//   no transaction yet   a file that is being copied in, page by page: in the overlay until closed
//   none of these        refused: journal_mode MEMORY or OFF, or a program that is not SQLite

import { Crc64 } from '@skein/bytes';
import { DATABASE_HEADER_SIZE, decodeDatabaseHeader } from '@skein/sqlite-file';

import type { Overlay } from '../commit/overlay.ts';
import type { EngineContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import type { WalFrames } from '../database/wal-frames.ts';
import { EngineError } from '../errors.ts';
import type { JobLock } from '../jobs/job-lock.ts';
import type { Pending } from '../jobs/pending.ts';
import type { JournalFile } from './journal-file.ts';
import type { MountFile } from './mount-file.ts';
import type { WalFile } from './wal-file.ts';

export interface DatabaseFileOptions {
  readonly context: EngineContext;
  readonly database: Database;
  readonly overlay: Overlay;
  /** The files beside it, where they exist. */
  readonly companions: {
    readonly journal: JournalFile | undefined;
    readonly wal: WalFile | undefined;
    /** Why nothing may be written. */
    readonly refusal: EngineError | undefined;
    /** Throws that. */
    assertWritable(): void;
    /** Held by whatever changes the state of the database. */
    readonly lock: JobLock;
  };
}

export class DatabaseFile implements MountFile {
  readonly backing: undefined;
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly #context: EngineContext;
  readonly #database: Database;
  readonly #overlay: Overlay;
  readonly #companions: DatabaseFileOptions['companions'];
  readonly #crc = new Crc64();

  constructor(options: DatabaseFileOptions) {
    this.#context = options.context;
    this.#database = options.database;
    this.#overlay = options.overlay;
    this.#companions = options.companions;
  }

  get sizeBytes(): number {
    return this.#overlay.isActive ? this.#overlay.sizeBytes : this.#database.fileSize;
  }

  opened(): void {}

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const overlay = this.#overlay;
    if (!overlay.isActive) return this.#database.readFile(into, offset, length, position);
    const count = Math.max(Math.min(length, overlay.sizeBytes - position), 0);
    if (count === 0) return 0;
    const known = this.#database.readFile(into, offset, count, position);
    into.fill(0, offset + known, offset + count);
    overlay.patch(into, offset, count, position);
    return count;
  }

  write(from: Uint8Array, offset: number, length: number, position: number): undefined {
    const { journal, wal, refusal } = this.#companions;
    if (refusal !== undefined) {
      return this.#refuse(refusal, from.subarray(offset, offset + length), position);
    }
    const { state } = this.#database;
    const frames = wal?.committed?.frames;
    if (journal?.coversChange() === true) {
      this.#assertNotCommitting();
      this.#overlay.begin(this.#pageSizeWith(journal));
      this.#overlay.write(from, offset, length, position);
    } else if (frames !== undefined && frames.count > 0) {
      this.#checkpoint(frames, from.subarray(offset, offset + length), position);
    } else if (state.pageCount === 0) {
      this.#assertNotCommitting();
      if (!this.#overlay.isActive)
        this.#beginCopy(from.subarray(offset, offset + length), position);
      this.#overlay.write(from, offset, length, position);
    } else {
      throw this.#withoutJournal();
    }
    return undefined;
  }

  truncate(sizeBytes: number): undefined {
    const { journal, wal } = this.#companions;
    if (sizeBytes === this.sizeBytes) return undefined;
    this.#companions.assertWritable();
    if (journal?.coversChange() === true || (this.#overlay.isActive && !this.#isCommitted)) {
      this.#assertNotCommitting();
      this.#overlay.begin(this.#pageSizeWith(journal));
      this.#overlay.truncate(sizeBytes);
    } else if (wal?.committed !== undefined && this.#isCommittedSize(sizeBytes)) {
      // The end of SQLite's checkpoint: it cuts the file to the size that the WAL says.
      if (wal.committed.frames.isBackfilled) this.#database.truncateFile(sizeBytes);
    } else {
      throw this.#withoutJournal();
    }
    return undefined;
  }

  /**
   * What a transaction wrote becomes durable when it commits; what a checkpoint wrote is in the
   * log.
   */
  sync(): undefined {
    return undefined;
  }

  flush(): Pending | undefined {
    return undefined;
  }

  release(): void {}

  /**
   * Of a new database only its journal knows; before version 3.5.8 SQLite did not write it there.
   */
  #pageSizeWith(journal: JournalFile | undefined): number {
    const pageSize = this.#database.state.pageSize ?? journal?.pageSize ?? this.#overlay.pageSize;
    if (pageSize === 0) throw this.#withoutJournal();
    return pageSize;
  }

  get #isCommitted(): boolean {
    return this.#database.state.pageCount > 0;
  }

  #isCommittedSize(sizeBytes: number): boolean {
    const { pageSize, pageCount } = this.#database.state;
    return pageSize !== undefined && sizeBytes === pageCount * pageSize;
  }

  /**
   * Rolling back what was never taken changes nothing and is welcome. Anything else ends the
   * transaction: its journal must not make every reader try to undo it.
   */
  #refuse(refusal: EngineError, bytes: Uint8Array, position: number): undefined {
    const shown = new Uint8Array(bytes.length);
    const count = this.read(shown, 0, shown.length, position);
    if (count === bytes.length && Buffer.compare(shown, bytes) === 0) return undefined;
    this.#companions.journal?.discard();
    throw refusal;
  }

  /** A copy begins with the first page, which says how large pages are. */
  #beginCopy(bytes: Uint8Array, position: number): void {
    try {
      if (position > 0) throw new Error('The first page is not the first that is written');
      this.#overlay.begin(decodeDatabaseHeader(bytes).pageSize);
    } catch (cause) {
      throw new EngineError(
        'IMAGE_FORMAT',
        `Cannot store ${this.#database.name}: it is no SQLite database`,
        { cause, hint: `The first ${DATABASE_HEADER_SIZE} bytes are not a database header` },
      );
    }
  }

  #checkpoint(frames: WalFrames, bytes: Uint8Array, position: number): void {
    const pageSize = this.#database.state.pageSize!;
    if (position % pageSize !== 0 || bytes.length % pageSize !== 0) throw this.#notInLog(position);
    for (let start = 0; start < bytes.length; start += pageSize) {
      const pgno = (position + start) / pageSize + 1;
      this.#checkpointPage(frames, pgno, bytes.subarray(start, start + pageSize));
    }
  }

  /** Invariant: the file holds only pages whose transaction is durable in the log. */
  #checkpointPage(frames: WalFrames, pgno: number, page: Uint8Array): void {
    const crc = this.#crc;
    crc.reset();
    crc.updateU32be(pgno);
    crc.update(page);
    const frame = frames.findVersion(pgno, (crc.hi | 0x8000_0000) >>> 0, crc.lo);
    if (frame === 0) throw this.#notInLog((pgno - 1) * page.length);
    // A checkpoint may come after one that went further and died before it could say so: an older
    // version must not come back to where `fileState` says there is a later one.
    if (frames.isDone(frame)) return;
    this.#context.committer.log.sync();
    this.#database.beforeReplace(pgno, frame);
    this.#database.writeFile(pgno, page, 0, page.length);
    frames.markDone(frame);
  }

  /** What is in the log and what goes into the file must be the same bytes. */
  #assertNotCommitting(): void {
    if (!this.#companions.lock.isTaken) return;
    const message = `Cannot write to ${this.#database.name}: a transaction is being committed`;
    throw new EngineError('DATABASE_IN_USE', message);
  }

  #notInLog(position: number): EngineError {
    return new EngineError(
      'WRITE_NOT_IN_LOG',
      `Cannot write to ${this.#database.name} at ${position}: no transaction in its WAL says so`,
    );
  }

  #withoutJournal(): EngineError {
    return new EngineError(
      'WRITE_WITHOUT_JOURNAL',
      `Cannot write to ${this.#database.name} without a journal`,
      { hint: 'Use journal_mode DELETE, TRUNCATE, PERSIST or WAL; not MEMORY, not OFF' },
    );
  }
}
