// A database as the log has it: its state after the last transaction, and the file that holds most
// of its pages.
//
// Invariant: the file holds only pages whose transaction is durable in the log. In rollback modes
// it lags behind `state` while a commit waits for the sync; in WAL mode by what has not been copied
// from the WAL. Between the last checkpoint (recovery/checkpoint.ts) and `state` lies what a crash
// makes the node take from the log again.
//
// A name stays one Database for as long as the node runs, also when the database is dropped and
// made again: its TXIDs go on.

import { assert } from '@skein/bytes';
import type { Disk, DiskFile, Log } from '@skein/host';
import { PAGE_SIZE_MAX } from '@skein/sqlite-file';

import { PageChecksums } from '../pages/page-checksums.ts';
import { type DatabaseState, NO_STATE } from './database-state.ts';
import { HeldFiles } from './held-files.ts';

/** Keeps old versions of pages that are about to be replaced, for a reader of an older state. */
export interface PageKeeper {
  /**
   * Called before page `pgno` of the file changes. `walFrame`: the frame it is copied from, or 0.
   */
  beforeReplace(pgno: number, walFrame: number): void;
  /** Called before the file loses its pages from `firstPgno` on. */
  beforeCut(firstPgno: number): void;
}

export interface DatabaseContext {
  readonly disk: Disk;
  readonly log: Log;
}

export interface DatabasePlace {
  readonly name: string;
  /** Its folder in the data folder. */
  readonly folder: string;
}

/** What a transaction makes of the state. */
export interface CommittedPages {
  /** The state to which it leads; its LSN is known when it is in the log. */
  readonly next: Omit<DatabaseState, 'lsn'>;
  /** Pages that change, ascending, and the halves of their checksums. */
  readonly pgnos: Uint32Array;
  readonly checksums: Uint32Array;
}

/** Where the newest version of a page is when it is not in the database file yet: the WAL. */
export interface NewerPages {
  /** The last state of which every page is in the database file. */
  readonly fileState: DatabaseState;
  /** Reads a page; false when the database file has the newest version. */
  readPage(pgno: number, into: Uint8Array): boolean;
}

/** Where a page is read to be compared; nothing else happens meanwhile. */
const comparedPage = new Uint8Array(PAGE_SIZE_MAX);

export class Database {
  readonly name: string;
  /** Its folder in the data folder. */
  readonly folder: string;
  readonly #context: DatabaseContext;
  readonly #keepers = new Set<PageKeeper>();
  readonly #held = new HeldFiles();
  #file: DiskFile | undefined;
  #checksums: PageChecksums | undefined;
  #state: DatabaseState;
  #incarnation = 0;
  #fileState: DatabaseState;
  /** What has reached the file and is synced: where replay starts after a crash. */
  checkpointed: DatabaseState;
  newerPages: NewerPages | undefined;
  /** A sync of the file has failed: nothing in it counts that was written since `checkpointed`. */
  isUnsyncable = false;

  constructor(context: DatabaseContext, place: DatabasePlace, state: DatabaseState = NO_STATE) {
    this.#context = context;
    this.name = place.name;
    this.folder = place.folder;
    this.#state = state;
    this.#fileState = state;
    this.checkpointed = state;
  }

  get state(): DatabaseState {
    return this.#state;
  }

  /** The state that the file alone holds; its last pages need not be synced. */
  get fileState(): DatabaseState {
    return this.newerPages?.fileState ?? this.#fileState;
  }

  /** The file has got all pages of the newest state. */
  markFileComplete(): void {
    this.#fileState = this.#state;
  }

  /** There is no file of the newest state yet, and none any more of those before. */
  markFileMissing(): void {
    this.#fileState = NO_STATE;
  }

  /** Whether there is a file: also an empty one, before the first transaction. */
  get exists(): boolean {
    return this.#file !== undefined;
  }

  get file(): DiskFile {
    assert(this.#file !== undefined, 'The database has no file');
    return this.#file;
  }

  /** One more each time that the file is removed: who had it open has a file without a name. */
  get incarnation(): number {
    return this.#incarnation;
  }

  get checksums(): PageChecksums {
    const { pageSize } = this.#state;
    assert(pageSize !== undefined, 'A database without pages has no checksums');
    return this.checksumsFor(pageSize);
  }

  /**
   * The checksums of the pages that there are, and of those that the first transaction will bring.
   */
  checksumsFor(pageSize: number): PageChecksums {
    if (this.#checksums !== undefined && this.#checksums.pageSize !== pageSize) {
      assert(this.#state.pageCount === 0, 'The page size of a database changes');
      this.#closeChecksums();
    }
    this.#checksums ??= this.#openChecksums(pageSize);
    return this.#checksums;
  }

  /**
   * Makes sure that advance() cannot fail, for a transaction that another node has prepared. Throws
   * DiskError.
   */
  prepareChecksums({ next, pgnos }: CommittedPages): void {
    const checksums = this.checksumsFor(next.pageSize!);
    checksums.prepare(pgnos);
    checksums.prepareRange(next.pageCount + 1, this.#state.pageCount);
  }

  /** Opens the file, makes it if there is none. */
  openFile(): void {
    if (this.#file !== undefined) return;
    const { disk } = this.#context;
    disk.makeDirectory('database.folder', this.folder);
    if (this.#openMode === 'create') {
      // Once a checkpoint is in the folder, the log need not name the database any more.
      disk.syncDirectory('database.name', this.folder.slice(0, this.folder.lastIndexOf('/')));
    }
    this.#file = disk.open('database.open', `${this.folder}/database`, this.#openMode);
  }

  /** Bytes of the file, if there is one; what a client sees of it may be more. */
  get fileSize(): number {
    return this.#file?.size('database.size') ?? 0;
  }

  /**
   * Reads from the database file. Like a file it ends where it ends, though pages that the file
   * does not reach yet are zeros.
   */
  readFile(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.file.read('database.read', into, offset, length, position);
  }

  /** Reads the newest version of a page that is in the log. False: there is no such page. */
  readPage(pgno: number, into: Uint8Array): boolean {
    const { pageSize, pageCount } = this.#state;
    if (pageSize === undefined || pgno > pageCount) return false;
    if (this.newerPages?.readPage(pgno, into) === true) return true;
    const count = this.readFile(into, 0, pageSize, (pgno - 1) * pageSize);
    into.fill(0, count, pageSize);
    return true;
  }

  /** Whether the newest version of a page in the log is these very bytes. */
  hasPage(pgno: number, page: Uint8Array): boolean {
    const own = comparedPage.subarray(0, page.length);
    return this.readPage(pgno, own) && Buffer.compare(own, page) === 0;
  }

  /** Puts pages into the file that lie side by side in it, whose transaction is durable. */
  writeFile(pgno: number, from: Uint8Array, offset: number, length: number): void {
    const pageSize = this.#state.pageSize!;
    assert(length % pageSize === 0, 'Only whole pages are written to the database file');
    this.file.write('database.write', from, offset, length, (pgno - 1) * pageSize);
  }

  truncateFile(sizeBytes: number): void {
    this.beforeCut(sizeBytes / (this.#state.pageSize ?? PAGE_SIZE_MAX) + 1);
    this.file.truncate('database.truncate', sizeBytes);
  }

  /** Takes a transaction over that is in the log now. */
  advance(transaction: CommittedPages, lsn: number): void {
    const { next, pgnos, checksums } = transaction;
    const before = this.#state;
    if (next.pageSize === undefined) {
      this.#state = { ...next, lsn };
      // The sidecar itself stays until the drop is durable.
      return this.#closeChecksums();
    }
    // Opened and read when the transaction was prepared: nothing fails here any more.
    const all = this.checksumsFor(next.pageSize);
    for (const [n, pgno] of pgnos.entries())
      all.set(pgno, checksums[n * 2 + 1]!, checksums[n * 2]!);
    for (let pgno = next.pageCount + 1; pgno <= before.pageCount; pgno++) all.set(pgno, 0, 0);
    this.#state = { ...next, lsn };
  }

  /** Where replay of the log has come to. */
  replayed(state: DatabaseState): void {
    this.#state = state;
    this.#fileState = state;
  }

  /** The state of before an append whose sync failed; nothing is committed after that. */
  restoreState(state: DatabaseState): void {
    this.#state = state;
  }

  addKeeper(keeper: PageKeeper): void {
    this.#keepers.add(keeper);
  }

  removeKeeper(keeper: PageKeeper): void {
    this.#keepers.delete(keeper);
  }

  /** Must be called before a page of the file changes. */
  beforeReplace(pgno: number, walFrame: number): void {
    for (const keeper of this.#keepers) keeper.beforeReplace(pgno, walFrame);
  }

  /** Must be called before pages of the file, or of the WAL, from `firstPgno` on are gone. */
  beforeCut(firstPgno: number): void {
    for (const keeper of this.#keepers) keeper.beforeCut(firstPgno);
  }

  /**
   * Removes file and sidecar; the name can be used again. Throws DiskError: they may be there
   * still, but are nobody's.
   */
  removeFile(): void {
    const { disk } = this.#context;
    this.#incarnation++;
    this.close();
    disk.remove('database.remove', `${this.folder}/database`);
    disk.remove('checksums.remove', `${this.folder}/checksums`);
  }

  /** Whether there is no file and never was a transaction: nothing is known of the name. */
  get neverWas(): boolean {
    return !this.exists && this.#state.txid === 0n;
  }

  /** Removes what a database that never was has left in the data folder. */
  removeFolder(): void {
    assert(this.neverWas, 'A folder is removed that the log may need');
    this.#context.disk.removeDirectory('database.folder.remove', this.folder);
  }

  close(): void {
    this.#closeFile();
    this.#closeChecksums();
  }

  /**
   * Keeps a file open that is being synced elsewhere, also when the database is removed meanwhile;
   * to be called with `false` when that is done.
   */
  hold(file: DiskFile, isHeld: boolean): void {
    if (isHeld) this.#held.hold(file);
    else this.#held.release(file);
  }

  #closeFile(): void {
    if (this.#file !== undefined) this.#held.close(this.#file);
    this.#file = undefined;
  }

  /** What lies there without a transaction was made for one that a crash prevented. */
  get #openMode(): 'create' | 'open-or-create' {
    return this.#state.pageCount === 0 ? 'create' : 'open-or-create';
  }

  #openChecksums(pageSize: number): PageChecksums {
    const { disk, log } = this.#context;
    disk.makeDirectory('database.folder', this.folder);
    return new PageChecksums({
      disk,
      path: `${this.folder}/checksums`,
      mode: this.#openMode,
      pageSize,
      readPage: (pgno, into) => this.readPage(pgno, into),
      onRebuild: (firstPgno, lastPgno) => {
        log.info('Computed page checksums anew', { database: this.name, firstPgno, lastPgno });
      },
    });
  }

  #closeChecksums(): void {
    if (this.#checksums !== undefined) this.#held.close(this.#checksums.file);
    this.#checksums = undefined;
  }
}
