// All files of one database on the mount: the database itself, the position, and what SQLite puts
// beside it when it needs it.

import { assert } from '@skein/bytes';
import type { DiskFile } from '@skein/host';

import type { DatabaseImage } from '../commit/image.ts';
import { Overlay } from '../commit/overlay.ts';
import { replaceDatabase, type ReplacedFiles } from '../commit/replace.ts';
import { abandon, commitOverlays, forgetContent } from '../commit/rollback-commit.ts';
import { prepareDrop } from '../commit/transaction.ts';
import type { EngineContext } from '../context.ts';
import { discardScratch } from '../data-folder/discard-scratch.ts';
import { type FileOwner, maybeReadOwner, writeOwner } from '../data-folder/owner-file.ts';
import type { Database } from '../database/database.ts';
import { type DatabaseState, NO_STATE } from '../database/database-state.ts';
import { EngineError, isDiskFailure, LogFailedError } from '../errors.ts';
import { CopyIn, type CopyTarget } from '../files/copy-in.ts';
import { DatabaseFile } from '../files/database-file.ts';
import { type CopyOwner, DatabaseHandle } from '../files/database-handle.ts';
import { JournalFile, type JournalOwner } from '../files/journal-file.ts';
import type { MountFile } from '../files/mount-file.ts';
import { PositionFile } from '../files/position-file.ts';
import { ScratchFile } from '../files/scratch-file.ts';
import { ShmFile } from '../files/shm-file.ts';
import { WalFile } from '../files/wal-file.ts';
import { JobLock } from '../jobs/job-lock.ts';
import type { Job } from '../jobs/jobs.ts';
import { afterwards, type Pending } from '../jobs/pending.ts';
import { PageStore } from '../pages/page-store.ts';
import { hasCheckpoint, writeCheckpoint } from '../recovery/checkpoint-file.ts';
import type { ServedDatabase } from './served-database.ts';

/** What SQLite puts beside a database. */
export type CompanionKind = 'journal' | 'wal' | 'shm';

export class DatabaseFiles
  implements ServedDatabase, JournalOwner, CopyOwner, CopyTarget, ReplacedFiles
{
  readonly database: Database;
  readonly overlay: Overlay;
  readonly main: DatabaseFile;
  readonly position: PositionFile;
  /** Held by whatever changes the state of the database. */
  readonly lock: JobLock = new JobLock();
  readonly #context: EngineContext;
  readonly #copies = new Set<CopyIn>();
  #owner: FileOwner | undefined;
  #journal: JournalFile | undefined;
  #wal: WalFile | undefined;
  #shm: ShmFile | undefined;
  /**
   * The scratch file of the last journal, kept for the next: DELETE mode makes one a transaction.
   */
  #unusedJournal: DiskFile | undefined;
  #openCount = 0;
  #refusal: EngineError | undefined;
  readonly #onNothing: () => void;

  /** `onNothing`: there is no file any more, and never was a transaction. */
  constructor(context: EngineContext, database: Database, onNothing: () => void) {
    this.#context = context;
    this.#onNothing = onNothing;
    this.database = database;
    const scratchPath = context.scratchPath('overlay');
    const pages = new PageStore({ disk: context.disk, pool: context.pool, scratchPath });
    this.overlay = new Overlay(database, pages);
    this.main = new DatabaseFile({ context, database, overlay: this.overlay, companions: this });
    this.position = new PositionFile(() => database.state);
    this.#owner = maybeReadOwner(context.disk, database.folder);
  }

  get name(): string {
    return this.database.name;
  }

  get journal(): JournalFile | undefined {
    return this.#journal;
  }

  get wal(): WalFile | undefined {
    return this.#wal;
  }

  get shm(): ShmFile | undefined {
    return this.#shm;
  }

  get sizeBytes(): number {
    return this.main.sizeBytes;
  }

  /** Undefined until somebody has made the database on this node. */
  get owner(): FileOwner | undefined {
    return this.#owner;
  }

  /**
   * Changes whose it is; durable at once when the database has transactions, else with the first.
   */
  setOwner(owner: FileOwner): void {
    this.#owner = owner;
    if (this.database.state.pageCount > 0) this.#saveOwner();
  }

  /** Whether a commit is in the log whose pages are on their way into the database file. */
  get isBeingApplied(): boolean {
    const { state, fileState } = this.database;
    return this.#wal?.committed === undefined && fileState.lsn < state.lsn;
  }

  /** Whether a client has the database open, other than to copy another into its place. */
  get hasClients(): boolean {
    return this.#openCount > 0;
  }

  /** Why nothing is written any more. */
  get refusal(): EngineError | undefined {
    const { committer, term } = this.#context;
    return committer.log.failure ?? term.refusal ?? this.#refusal;
  }

  get shownState(): DatabaseState {
    return this.database.state;
  }

  assertWritable(): void {
    if (this.refusal !== undefined) throw this.refusal;
  }

  refuseWrites(reason: EngineError): void {
    this.#refusal = reason;
    this.#context.log.error(reason.message, { database: this.name, hint: reason.hint });
  }

  /** The file of a kind, if it exists. */
  companion(kind: CompanionKind): JournalFile | WalFile | ShmFile | undefined {
    switch (kind) {
      case 'journal':
        return this.#journal;
      case 'wal':
        return this.#wal;
      case 'shm':
        return this.#shm;
    }
  }

  createCompanion(kind: CompanionKind): MountFile {
    switch (kind) {
      case 'journal':
        this.assertWritable();
        return this.#createJournal();
      case 'wal':
        return this.#createWal();
      case 'shm':
        return this.#createShm();
    }
  }

  /** A client removes the file; for a journal that is a commit. */
  removeCompanion(kind: CompanionKind): Pending | undefined {
    switch (kind) {
      case 'journal':
        return afterwards(this.#journal?.remove(), () => this.#putJournalAway());
      case 'wal':
        this.#wal?.unlink();
        this.#wal = undefined;
        break;
      case 'shm':
        this.#shm?.unlink();
        this.#shm = undefined;
    }
    this.#forgetIfNothing();
    return undefined;
  }

  /** A client opens the database: `write` only to copy another into its place. */
  open(access: 'read' | 'write' | 'read-write'): MountFile {
    if (access !== 'read') this.assertWritable();
    if (access === 'write') return this.#startCopy();
    return new DatabaseHandle(this.main, this, this.database.state.pageCount === 0);
  }

  /** Cuts the database file; of an open with O_TRUNC the kernel does not say for which handle. */
  truncate(sizeBytes: number): Pending | undefined {
    if (this.#copies.size === 0 || sizeBytes !== 0) return this.main.truncate(sizeBytes);
    for (const copy of this.#copies) if (copy.isEmpty) copy.truncate(0);
    return undefined;
  }

  /** Removes the database: a transaction, if it ever had one. */
  drop(): Pending | undefined {
    this.assertWritable();
    return this.#context.jobs.run(this.lock.hold(this.#drop()));
  }

  replaceWith(image: DatabaseImage): Pending | undefined {
    return this.#context.jobs.run(this.#replaceWith(image));
  }

  copyEnded(copy: CopyIn): void {
    this.#copies.delete(copy);
    if (copy.isIncomplete) this.#warnIncomplete();
    this.#removeIfNothing();
  }

  // JournalOwner

  get hasChanges(): boolean {
    return this.overlay.isActive && !this.#showsCommitted;
  }

  commit(): Pending | undefined {
    if (!this.hasChanges) return undefined;
    return this.#context.jobs.run(this.lock.hold(commitOverlays(this.#context, [this])));
  }

  commitNow(): void {
    const { committer, jobs } = this.#context;
    const pending = this.commit();
    if (pending === undefined) return;
    while (!pending.isSettled && (committer.hasWaiters || jobs.hasWork)) {
      committer.settle();
      jobs.step();
    }
    if (!pending.isSettled) throw this.#notAtOnce();
    if (pending.error !== undefined) throw pending.error;
  }

  // CopyOwner

  get isCopying(): boolean {
    return (
      this.overlay.isActive &&
      this.database.state.pageCount === 0 &&
      this.#journal?.coversChange() !== true
    );
  }

  finishCopy(): Pending | undefined {
    return this.overlay.isWhole ? this.commit() : undefined;
  }

  get incarnation(): number {
    return this.database.incarnation;
  }

  handleOpened(): void {
    this.#openCount++;
  }

  handleReleased(): void {
    assert(this.#openCount > 0, 'A database was closed more often than opened');
    this.#openCount--;
    this.#forgetIfNothing();
  }

  giveUpCopy(): void {
    this.#warnIncomplete();
    this.overlay.clear();
    this.#context.kernel.forgetContent(this.name);
    this.#removeIfNothing();
  }

  // RollbackTransaction, ReplacedFiles

  *discardJournal(): Job<void> {
    if (this.#journal === undefined) return;
    this.#journal.discard();
    const journal = `${this.name}-journal`;
    // The zeros that ended it are in the kernel's page too: nobody plays it back meanwhile.
    if (this.#journal.isEndedByWrite) this.#context.kernel.forgetContent(journal);
    else yield* forgetContent(this.#context, journal);
  }

  beforeFirstTransaction(): void {
    const { disk } = this.#context;
    const { folder } = this.database;
    if (!hasCheckpoint(disk, folder)) writeCheckpoint(disk, folder, NO_STATE);
    this.#saveOwner();
  }

  /**
   * Gives up the transaction under way: nothing is accepted any more that could end it. One that is
   * in the log already comes to its own end first.
   */
  abandon(): Pending | undefined {
    return this.#context.jobs.run(this.lock.hold(this.#abandon()));
  }

  *#abandon(): Job<void> {
    const journal = this.#journal;
    if (this.hasChanges) journal?.voidBecause(this.refusal!);
    else if (journal?.isHot !== true || this.#showsCommitted) return;
    yield* abandon(this.#context, [this]);
  }

  /** SQLite's own checkpoints see to the file. */
  *completeFile(): Job<void> {}

  /** After the content was replaced: the WAL is empty, and who knew the old one has to notice. */
  *resetWal(): Job<void> {
    if (this.#wal === undefined) return;
    this.#wal.forget();
    const published = this.#shm?.reset(this.database.state.pageCount);
    if (published !== undefined) yield published;
    yield* forgetContent(this.#context, `${this.name}-wal`);
  }

  /** Whether the file could not take what is committed, so that the overlay has to show it. */
  get #showsCommitted(): boolean {
    return this.overlay.isActive && this.#refusal !== undefined && this.isBeingApplied;
  }

  /** Nobody uses the mount any more. What is only in the WAL goes into the database file. */
  close(): void {
    this.#journal?.close();
    this.#unusedJournal?.close();
    if (this.refusal === undefined) this.#tryCompleteFile();
    this.#wal?.close();
    this.#shm?.close();
    this.overlay.clear();
  }

  /** Spares the next start some work. */
  #tryCompleteFile(): void {
    const wal = this.#wal;
    if (wal === undefined) return;
    try {
      wal.completeDatabase();
      this.database.markFileComplete();
    } catch (error) {
      if (!isDiskFailure(error)) throw error;
      const fields = { name: this.name, error: error.message };
      this.#context.log.warn('Cannot copy a WAL into its database', fields);
    }
  }

  *#replaceWith(image: DatabaseImage): Job<void> {
    try {
      yield* replaceDatabase(this.#context, this, image);
    } catch (error) {
      this.#removeIfNothing();
      throw error;
    }
  }

  *#drop(): Job<void> {
    const { kernel } = this.#context;
    this.assertWritable();
    this.overlay.clear();
    if (this.database.state.pageCount > 0) yield* this.#commitDrop();
    yield* this.#removeContent();
    this.database.markFileComplete();
    for (const suffix of ['-journal', '-wal']) kernel.forgetContent(this.name + suffix);
    this.#forgetIfNothing();
  }

  *#commitDrop(): Job<void> {
    const { committer, clock, nodeId } = this.#context;
    const { state } = this.database;
    const timestampMs = clock.wallMs();
    try {
      const lsn = yield* committer.commit([prepareDrop(this.database, { timestampMs, nodeId })]);
      const durable = committer.whenDurable(lsn);
      if (durable !== undefined) yield durable;
    } catch (error) {
      if (error instanceof LogFailedError) this.database.restoreState(state);
      throw error;
    }
  }

  /**
   * The drop is in the log: what stays of the files does not count. The names of companions stay
   * until somebody removes them, as on any file system.
   */
  *#removeContent(): Job<void> {
    try {
      this.database.removeFile();
      this.#journal?.discard();
      this.#wal?.forget();
      const voided = this.#shm?.invalidate();
      if (voided !== undefined) yield voided;
    } catch (error) {
      if (!isDiskFailure(error)) throw error;
      this.#context.log.warn('Cannot remove the files of a dropped database', {
        name: this.name,
        error: error.message,
      });
    }
  }

  #createJournal(): JournalFile {
    const { disk, scratchPath, canPassThrough } = this.#context;
    const file =
      this.#unusedJournal ?? disk.open('journal.create', scratchPath('journal'), 'create');
    this.#unusedJournal = undefined;
    this.#journal = new JournalFile({ owner: this, disk, file, canPassThrough });
    return this.#journal;
  }

  #putJournalAway(): void {
    const journal = this.#journal;
    if (journal === undefined) return;
    this.#journal = undefined;
    const isKept = this.database.exists && !journal.isOpen && this.#unusedJournal === undefined;
    if (isKept) this.#unusedJournal = journal.file;
    else journal.unlink();
    this.#forgetIfNothing();
  }

  #createWal(): WalFile {
    const { disk, scratchPath } = this.#context;
    this.#wal = new WalFile({
      context: this.#context,
      database: this.database,
      file: disk.open('wal.create', scratchPath('wal'), 'create'),
      lock: this.lock,
      assertWritable: () => this.assertWritable(),
    });
    return this.#wal;
  }

  #createShm(): ShmFile {
    const { disk, scratchPath, canPassThrough } = this.#context;
    this.#shm = new ShmFile({
      context: this.#context,
      name: `${this.name}-shm`,
      file: disk.open('shm.create', scratchPath('shm'), 'create'),
      canPassThrough,
      wal: () => this.#wal,
    });
    return this.#shm;
  }

  #startCopy(): CopyIn {
    const { disk, scratchPath } = this.#context;
    const copy = new CopyIn(this, new ScratchFile(disk, scratchPath('copy')));
    this.#copies.add(copy);
    return copy;
  }

  /**
   * Only what has to wait for the disk or the kernel: a very large transaction, or a failed one.
   */
  #notAtOnce(): EngineError {
    return new EngineError('OPERATION_NOT_SUPPORTED', `Cannot finish a commit to ${this.name}`, {
      hint: 'Use synchronous=NORMAL or higher: then the end of a transaction can be waited for',
    });
  }

  #warnIncomplete(): void {
    this.#context.log.warn('A copy was not a whole database and is dropped', { name: this.name });
  }

  /** A name that was made for a copy which came to nothing goes with it. */
  #removeIfNothing(): void {
    const isUsed = this.#copies.size > 0 || this.overlay.isActive || this.hasClients;
    if (isUsed || this.database.state.pageCount > 0) return;
    this.database.removeFile();
    this.#context.kernel.forgetName(this.name);
    this.#forgetIfNothing();
  }

  /** Names that come and go without a transaction leave nothing behind. */
  #forgetIfNothing(): void {
    const companions = [this.#journal, this.#wal, this.#shm].some((file) => file !== undefined);
    if (companions || this.hasClients || this.#copies.size > 0 || this.overlay.isActive) return;
    // What the log could not sync may be there after all.
    if (!this.database.neverWas || this.refusal !== undefined) return;
    if (this.#unusedJournal !== undefined) discardScratch(this.#context.disk, this.#unusedJournal);
    this.#unusedJournal = undefined;
    this.database.removeFolder();
    this.#onNothing();
  }

  #saveOwner(): void {
    if (this.#owner !== undefined) {
      writeOwner(this.#context.disk, this.database.folder, this.#owner);
    }
  }
}
