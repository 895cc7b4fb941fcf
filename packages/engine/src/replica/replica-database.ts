// A database on a replica. What is in the log is applied to it by the node, as the writer of its
// WAL, so that readers keep their snapshot and never wait
// (docs/decisions/0017-applying-on-the-engines-thread.md).
//
//   received, verified → log → durable → frames in the WAL → wal-index → (some time) database file
//
// One that has no transaction yet takes the first straight into its file, and its names appear when
// that is whole. One that is dropped loses its names; who has it open keeps what he has.
//
// Invariant: what readers see is the state after some transaction of the primary.

import { DiskError } from '@skein/host';

import { type FileOwner, maybeReadOwner, writeOwner } from '../data-folder/owner-file.ts';
import type { Database } from '../database/database.ts';
import { type DatabaseState, NO_STATE } from '../database/database-state.ts';
import type { EngineError } from '../errors.ts';
import type { MountFile } from '../files/mount-file.ts';
import { PositionFile } from '../files/position-file.ts';
import { JobLock } from '../jobs/job-lock.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Pending } from '../jobs/pending.ts';
import { hasCheckpoint, writeCheckpoint } from '../recovery/checkpoint-file.ts';
import type { ServedDatabase } from '../store/served-database.ts';
import { Applier } from './applier.ts';
import { Backlog } from './backlog.ts';
import type { Obstacle } from './obstacle.ts';
import { replicaReadOnly } from './refuse.ts';
import type { ReplicaContext } from './replica-context.ts';
import type { ReplicaWal } from './replica-wal.ts';
import { ShownFiles } from './shown-files.ts';
import type { VerifiedTransaction } from './verify.ts';

export class ReplicaDatabase implements ServedDatabase {
  readonly database: Database;
  readonly position: PositionFile;
  readonly journal: undefined;
  /** Readers find everything that they may see. */
  readonly isBeingApplied = false;
  readonly #context: ReplicaContext;
  readonly #backlog: Backlog;
  readonly #lock = new JobLock();
  readonly #applier: Applier;
  #owner: FileOwner | undefined;
  #refusal: EngineError | undefined;
  /** The last state that is durable here. */
  #durableState: DatabaseState;
  /** What there was before the names vanished. */
  #goneState: DatabaseState = NO_STATE;

  constructor(context: ReplicaContext, database: Database) {
    this.#context = context;
    this.database = database;
    this.#backlog = new Backlog(context.backlogMemory);
    this.#durableState = database.state;
    this.#owner = maybeReadOwner(context.engine.disk, database.folder);
    this.position = new PositionFile(() => this.visibleState);
    this.#applier = new Applier({
      context,
      database,
      backlog: this.#backlog,
      lock: this.#lock,
      onApplied: () => context.onApplied(this),
      onWaiting: () => context.onWaiting(this),
    });
    const { state } = database;
    if (state.pageCount === 0) this.#goneState = state;
    else this.#applier.show(new ShownFiles(context.engine, database, state));
  }

  get name(): string {
    return this.database.name;
  }

  get isShown(): boolean {
    return this.#applier.files !== undefined;
  }

  get durableState(): DatabaseState {
    return this.#durableState;
  }

  get shownState(): DatabaseState {
    return this.wal?.state ?? this.#goneState;
  }

  /** The state that readers find, as soon as they do. */
  get visibleState(): DatabaseState {
    return this.#applier.visibleState ?? this.#goneState;
  }

  /** Why nothing is applied just now. */
  get obstacle(): Obstacle | undefined {
    return this.#applier.obstacle;
  }

  /** Transactions that are in the log and not shown. */
  get waitingCount(): number {
    return this.#backlog.count;
  }

  get wal(): ReplicaWal | undefined {
    return this.#applier.files?.wal;
  }

  get owner(): FileOwner | undefined {
    return this.#owner;
  }

  setOwner(owner: FileOwner): void {
    this.#owner = owner;
    writeOwner(this.#context.engine.disk, this.database.folder, owner);
  }

  get sizeBytes(): number {
    return this.#applier.files?.main.sizeBytes ?? 0;
  }

  truncate(): never {
    throw replicaReadOnly(this.name);
  }

  /** Why a database is not kept up to date any more. */
  get refusal(): EngineError | undefined {
    return this.#context.engine.committer.log.failure ?? this.#refusal;
  }

  refuseWrites(reason: EngineError): void {
    this.#refusal = reason;
    this.#context.engine.log.error(reason.message, { database: this.name, hint: reason.hint });
  }

  abandon(): undefined {
    return undefined;
  }

  /** The file of a name that begins with the database's. */
  file(kind: 'database' | 'position' | 'wal' | 'shm'): MountFile | undefined {
    const { files } = this.#applier;
    if (files === undefined) return undefined;
    switch (kind) {
      case 'database':
        return files.main;
      case 'position':
        return this.position;
      case 'wal':
        return files.wal;
      case 'shm':
        return files.shm;
    }
  }

  /**
   * What has to be there before a transaction is in the log: nothing may fail afterwards. Throws
   * DiskError.
   */
  prepareFor(transaction: VerifiedTransaction): void {
    const { database } = this;
    const { next } = transaction;
    const { pageSize, pageCount } = database.state;
    if (next.pageCount === 0) return;
    if (pageCount === 0) {
      const { disk } = this.#context.engine;
      database.openFile();
      if (!hasCheckpoint(disk, database.folder)) writeCheckpoint(disk, database.folder, NO_STATE);
    }
    // One of another page size is made when there is nothing left of this one.
    if (pageSize === undefined || pageSize === next.pageSize)
      database.prepareChecksums(transaction);
  }

  /** The transaction is in the log; `bytes`: the LTX file, if that is in memory. */
  logged(transaction: VerifiedTransaction, lsn: number, bytes: Uint8Array | undefined): void {
    const { header, next } = transaction;
    this.database.advance(transaction, lsn);
    if (next.pageCount === 0) return;
    if (header.minTxid === 1n) this.#backlog.pushWhole(lsn, bytes);
    else this.#backlog.push(lsn, bytes);
  }

  /** All of it is durable. */
  settled(): void {
    this.#durableState = this.database.state;
    this.apply();
  }

  /** Whether apply() is to be called again after a while. */
  get isWaiting(): boolean {
    return this.#applier.isWaiting;
  }

  apply(): void {
    this.#applier.start();
  }

  attend(): Pending | undefined {
    return this.#applier.attend();
  }

  /** The drop is durable: the names vanish. */
  *drop(): Job<void> {
    yield* this.#lock.hold(this.#remove());
    this.database.markFileComplete();
    this.#goneState = this.database.state;
    this.#context.onApplied(this);
  }

  /** A database of another page size is durable in the log, and takes the place of this one. */
  *makeWay(): Job<void> {
    yield* this.#lock.hold(this.#remove());
    const { state } = this.database;
    this.database.replayed({ ...state, pageSize: undefined, pageCount: 0 });
    this.database.markFileMissing();
  }

  /** Copies what readers allow from the WAL into the database file; it can be tried again. */
  *completeFile(): Job<void> {
    try {
      yield* this.#lock.hold(this.#applier.completeFile());
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      const fields = { database: this.name, error: error.message };
      this.#context.engine.log.warn('Cannot copy a WAL into its database', fields);
    }
  }

  close(): void {
    this.#applier.close();
  }

  *#remove(): Job<void> {
    // A step of its own: to remove a large file takes a while.
    yield;
    this.#goneState = this.shownState;
    this.#applier.remove();
    try {
      this.database.removeFile();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      // It takes room, and is emptied when the name is used again: the log says that it is gone.
      const fields = { database: this.name, error: error.message };
      this.#context.engine.log.warn('Cannot remove the file of a database that is gone', fields);
    }
  }
}
