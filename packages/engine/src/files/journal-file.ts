// The rollback journal of a database: a scratch file to which a client saves pages before it
// changes them. What matters is its end, which commits the transaction
// (https://sqlite.org/lockingv3.html, section 5): it is removed (DELETE), cut to nothing
// (TRUNCATE), or its header is overwritten with zeros (PERSIST).
//
// Nothing here is ever synced. After a crash there are neither journals nor anything to roll back.
//
// A journal that has ended is shown as empty, also one that PERSIST left behind: SQLite takes an
// empty journal for none and asks no more, where it would open and read a long one at every read
// transaction. The file behind a short one keeps its blocks, with zeros for a header: to cut it
// would cost the file system a transaction of its own, for which the sync of the log then waits.
// What stands behind the header is then what SQLite knows from its own PERSIST mode: records of
// another nonce, which it passes over. Only the name of a super-journal would be taken for real.
//
// With passthrough the kernel reads and writes the file itself and only the fsync is seen, so the
// zeros of PERSIST are looked for there. A client with synchronous=OFF never syncs; it gets no
// passthrough once it is known for that, and until then its commits are found at the next thing
// that it does: closing the journal, or writing to the database with another nonce in the header.

import type { ByteSource } from '@skein/bytes';
import type { Disk, DiskFile } from '@skein/host';
import {
  decodeJournalHeader,
  findJournalHeaderFault,
  hasJournalMagic,
  isZeroedJournalHeader,
  JOURNAL_HEADER_SIZE,
  readSuperJournalName,
} from '@skein/sqlite-file';

import type { Pending } from '../jobs/pending.ts';
import type { MountFile } from './mount-file.ts';
import { OpenScratch } from './open-scratch.ts';

export interface JournalOwner {
  /** Whether the database has changes that the journal can undo. */
  readonly hasChanges: boolean;
  /** The transaction ends here: its changes become permanent. */
  commit(): Pending | undefined;
  /** The same, done when it returns. */
  commitNow(): void;
}

export interface JournalFileOptions {
  readonly owner: JournalOwner;
  readonly disk: Disk;
  readonly file: DiskFile;
  /** Whether the kernel can be handed the file. */
  readonly canPassThrough: boolean;
}

/** The space of a longer journal is given back. */
const KEPT_BYTES_MAX = 1024 * 1024;

const ZERO_HEADER = new Uint8Array(JOURNAL_HEADER_SIZE);

export class JournalFile implements MountFile {
  readonly wantsFlush = false;
  readonly #owner: JournalOwner;
  readonly #file: DiskFile;
  readonly #scratch: OpenScratch;
  readonly #canPassThrough: boolean;
  readonly #source: ByteSource;
  readonly #header = new Uint8Array(JOURNAL_HEADER_SIZE);
  /** The kernel writes the file: we are not told. */
  #isPassedThrough = false;
  /** Seen in the transaction under way: the header in place, and a sync before the first change. */
  #isKnownLive = false;
  #isSynced = false;
  #isEndedByWrite = false;
  /** Why the transaction under way cannot be committed. */
  #voidReason: Error | undefined;
  /** How the transaction before went. */
  #clientSyncs = true;
  #nonce = 0;
  #pageSize = 0;

  constructor(options: JournalFileOptions) {
    this.#owner = options.owner;
    this.#file = options.file;
    this.#scratch = new OpenScratch(options.disk, options.file);
    this.#canPassThrough = options.canPassThrough;
    this.#source = {
      read: (into, offset, length, position) => this.read(into, offset, length, position),
    };
  }

  get sizeBytes(): number {
    this.#settle();
    return this.#isFinalised() ? 0 : this.#file.size('journal.size');
  }

  get backing(): DiskFile | undefined {
    if (!this.#canPassThrough || !this.#clientSyncs) return undefined;
    this.#isPassedThrough = true;
    return this.#file;
  }

  /**
   * A journal is written once and hardly ever read. The kernel's cache would split every page that
   * is written to it, for it does not begin on one.
   */
  get bypassesCache(): boolean {
    return !this.#isPassedThrough;
  }

  /** Whether a client still has it open. */
  get isOpen(): boolean {
    return this.#scratch.isOpen;
  }

  get file(): DiskFile {
    return this.#file;
  }

  opened(): void {
    this.#scratch.opened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#file.read('journal.read', into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): Pending | undefined {
    this.#file.write('journal.write', from, offset, length, position);
    if (!this.#scratch.hasName) return undefined;
    if (position >= JOURNAL_HEADER_SIZE || !this.#isFinalised()) return undefined;
    this.#isEndedByWrite = true;
    return this.#end();
  }

  truncate(sizeBytes: number): Pending | undefined {
    if (sizeBytes === 0 && this.#scratch.hasName) return this.#end();
    this.#file.truncate('journal.truncate', sizeBytes);
    return undefined;
  }

  sync(): Pending | undefined {
    this.#isSynced = true;
    const mayEnd = this.#isPassedThrough && this.#scratch.hasName;
    return mayEnd && this.#isFinalised() ? this.#end() : undefined;
  }

  flush(): undefined {
    return undefined;
  }

  release(): void {
    try {
      if (this.#scratch.hasName) this.#settle();
    } finally {
      this.#scratch.released();
    }
  }

  /** SQLite removes the journal: DELETE mode, or it has rolled back what another client left. */
  remove(): Pending | undefined {
    return this.#end();
  }

  /** Nobody uses the file for another journal: it goes when the last client has closed it. */
  unlink(): void {
    this.#scratch.unlink();
  }

  /** Nobody uses the mount any more. */
  close(): void {
    this.#scratch.close();
  }

  /**
   * The transaction under way is given up without its client: he must not take the end of the
   * journal for a commit.
   */
  voidBecause(reason: Error): void {
    this.discard();
    this.#voidReason = reason;
  }

  /** Throws when the transaction was given up; its client is told once. */
  assertNotVoid(): void {
    const reason = this.#voidReason;
    this.#voidReason = undefined;
    if (reason !== undefined) throw reason;
  }

  /** Whether a client that comes upon it would play it back. */
  get isHot(): boolean {
    return this.#readHeader() && hasJournalMagic(this.#header);
  }

  /** Whether it brings a database back that had pages. */
  get isOfDatabase(): boolean {
    if (!this.#readHeader() || findJournalHeaderFault(this.#header) !== undefined) return false;
    return decodeJournalHeader(this.#header).initialPageCount > 0;
  }

  /** Undoes nothing and commits nothing: the changes are given up, and the journal is empty. */
  discard(): void {
    this.#isKnownLive = false;
    this.#isSynced = false;
    this.#file.truncate('journal.discard', 0);
  }

  /**
   * Must be asked before a change to the database is taken: whether the journal is live, so that it
   * can undo the change and its end will be seen.
   */
  coversChange(): boolean {
    if (this.#isKnownLive && (!this.#isPassedThrough || this.#isSynced)) return true;
    // SQLite would find nothing in it to roll back.
    if (!this.#readHeader() || findJournalHeaderFault(this.#header) !== undefined) return false;
    const { nonce, pageSize } = decodeJournalHeader(this.#header);
    if (this.#isKnownLive && nonce !== this.#nonce) this.#owner.commitNow();
    this.#clientSyncs = this.#isSynced;
    this.#isKnownLive = true;
    this.#voidReason = undefined;
    this.#isEndedByWrite = false;
    this.#nonce = nonce;
    this.#pageSize = pageSize;
    return true;
  }

  /**
   * A write of zeros ended the transaction (PERSIST). Until it is answered the kernel keeps the
   * page locked: to wait until the kernel has forgotten the journal would be to wait for oneself.
   */
  get isEndedByWrite(): boolean {
    return this.#isEndedByWrite;
  }

  /** Page size of the transaction under way. */
  get pageSize(): number {
    return this.#pageSize;
  }

  /** Name of the super-journal that decides about this one, as the client sees its folders. */
  get superJournal(): Uint8Array | undefined {
    return readSuperJournalName(this.#source, this.#file.size('journal.size'));
  }

  /** Finds a commit that nothing has told us of. */
  #settle(): void {
    if (!this.#isPassedThrough || !this.#owner.hasChanges || !this.#isFinalised()) return;
    this.#empty();
    this.#owner.commitNow();
  }

  /**
   * Commits. The journal is emptied first: after the commit nothing may fail, and if that fails the
   * changes are given up.
   */
  #end(): Pending | undefined {
    this.assertNotVoid();
    this.#empty();
    this.#isKnownLive = false;
    this.#isSynced = false;
    return this.#owner.commit();
  }

  #empty(): void {
    const sizeBytes = this.#file.size('journal.size');
    if (sizeBytes > KEPT_BYTES_MAX || this.superJournal !== undefined) {
      this.#file.truncate('journal.empty.cut', 0);
    } else if (sizeBytes > 0) {
      this.#file.write('journal.empty', ZERO_HEADER, 0, JOURNAL_HEADER_SIZE, 0);
    }
  }

  #isFinalised(): boolean {
    return this.#readHeader() && isZeroedJournalHeader(this.#header);
  }

  #readHeader(): boolean {
    const header = this.#header;
    return this.#file.read('journal.read', header, 0, header.length, 0) === header.length;
  }
}
