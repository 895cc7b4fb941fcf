// The engine of one node: the databases, the log, and the work that goes on between requests.
//
// It belongs to the thread that serves the mount, and has no thread, no timer and no event loop of
// its own. That thread calls served() after each request, idle() when there is none left and again
// as long as `hasWork`, and tick() when nextTickMs has come.

import type { Counter, FileLocks } from '@skein/host';

import { brokenFile } from './commit/apply-transaction.ts';
import { Committer } from './commit/committer.ts';
import { type Role, Term } from './commit/term.ts';
import type { EngineContext } from './context.ts';
import { type DataFolder, openDataFolder } from './data-folder/data-folder.ts';
import { watchFolderSyncs } from './data-folder/folder-syncs.ts';
import { openIdentity } from './data-folder/node-file.ts';
import type { DatabaseState } from './database/database-state.ts';
import { EngineError, isDiskFailure } from './errors.ts';
import { followedState, type NamedState } from './follow/log-catalog.ts';
import { type Job, Jobs, runToEnd } from './jobs/jobs.ts';
import { Pending } from './jobs/pending.ts';
import { TransactionLog } from './log/transaction-log.ts';
import { PageStore } from './pages/page-store.ts';
import { SlabPool } from './pages/slab-pool.ts';
import type { EnginePorts } from './ports.ts';
import { checkpoint, coveredLsn, type FileSync, needsCheckpoint } from './recovery/checkpoint.ts';
import { type Recovered, recover } from './recovery/recovery.ts';
import { replicaReadOnly } from './replica/refuse.ts';
import { Replica } from './replica/replica.ts';
import { ReplicaStore } from './replica/replica-store.ts';
import { exportFile, type OnTransfer } from './snapshot/export-file.ts';
import { SentSnapshots } from './snapshot/sent-snapshots.ts';
import { Snapshot } from './snapshot/snapshot.ts';
import type { DatabaseFiles } from './store/database-files.ts';
import type { FileStore } from './store/file-store.ts';
import { importFile, type ImportOptions } from './store/import-file.ts';
import type { ServedDatabase } from './store/served-database.ts';
import { Store } from './store/store.ts';

export interface EngineOptions {
  readonly dataFolder: string;
  /**
   * Whether the kernel can read and write files of ours by itself (FUSE_PASSTHROUGH). Asked again
   * for each file: it is known when the mount is.
   */
  readonly canPassThrough: boolean;
  /** Segments of the log are kept this long, for those who follow it, or may do so again. */
  readonly retentionMs: number;
  /** But no more than this, unless the node itself needs it to start. */
  readonly retentionBytesMax: number;
  readonly segmentBytes: number;
  /**
   * A larger transaction is written beside the log, so that segments need not fit the largest.
   */
  readonly inlineBytes: number;
  /** Memory for uncommitted pages of all databases; what is more goes to scratch files. */
  readonly overlayBytes: number;
  /** After this much in the log the databases are brought up to date, so that a start is quick. */
  readonly checkpointBytes: number;
  readonly role: Role;
  /**
   * On a replica: while a reader needs an old state the WAL grows no further; what is received is
   * logged, and applied when the reader has ended.
   */
  readonly replicaWalBytesMax: number;
}

export const DEFAULT_ENGINE_OPTIONS: Omit<EngineOptions, 'dataFolder' | 'canPassThrough'> = {
  retentionMs: 10 * 60_000,
  retentionBytesMax: 1024 * 1024 * 1024,
  segmentBytes: 64 * 1024 * 1024,
  inlineBytes: 16 * 1024 * 1024,
  overlayBytes: 32 * 1024 * 1024,
  checkpointBytes: 64 * 1024 * 1024,
  role: 'primary',
  replicaWalBytesMax: 1024 * 1024 * 1024,
};

/** Commits that nobody waits for (WAL with synchronous=NORMAL) are made durable after this time. */
const BACKGROUND_SYNC_MS = 50;

/** And after this time when somebody follows the log: nothing is sent that is not durable here. */
const FOLLOWED_SYNC_MS = 1;

/** At least this often the databases are brought up to date, and the log is trimmed. */
const CHECKPOINT_INTERVAL_MS = 60_000;

/** Nobody waits for a sync longer than for this many requests of others, which may share it. */
const REQUESTS_BEFORE_SYNC = 32;

export class Engine {
  readonly store: FileStore;
  /** What takes the primary's transactions, in the role of a replica. */
  readonly replica: Replica | undefined;
  readonly folder: DataFolder;
  /** Transactions that were put into their databases again at the start. */
  readonly replayedCount: number;
  readonly #context: EngineContext;
  readonly #log: TransactionLog;
  readonly #options: EngineOptions;
  /** For peers that follow the log and cannot be brought up to date by it. */
  readonly snapshots: SentSnapshots;
  readonly #checkpoints: Counter;
  #requestsWaited = 0;
  #unsyncedSinceMs: number | undefined;
  #isSyncing = false;
  #isCheckpointing = false;
  #isFailed = false;
  #checkpointedMs: number;
  #checkpointedBytes = 0;

  private constructor(parts: EngineParts) {
    const { context, folder, recovered, options } = parts;
    this.folder = folder;
    this.replayedCount = recovered.replayedCount;
    this.#context = context;
    const databases = recovered.databases.values();
    if (context.term.role === 'replica') {
      const { replicaWalBytesMax: walBytesMax } = options;
      this.replica = new Replica({ context, folder, databases, walBytesMax });
      this.store = new ReplicaStore(this.replica);
    } else {
      this.replica = undefined;
      this.store = new Store(context, folder.databases, databases);
    }
    this.#log = context.committer.log;
    this.#options = options;
    this.snapshots = new SentSnapshots({ context, take: (name) => this.takeSnapshot(name) });
    this.#checkpoints = context.metrics.counter(
      'skein_checkpoints_total',
      'Times that a database was brought up to date with the log',
    );
    this.#checkpointedMs = context.clock.monotonicMs();
  }

  /** Opens a data folder, and recovers. Throws EngineError: in use, damaged, of another version. */
  static open(
    ports: EnginePorts & { readonly fileLocks: FileLocks },
    options: EngineOptions,
  ): Engine {
    const { background, clock, log, random } = ports;
    let transactions: TransactionLog | undefined;
    const disk = watchFolderSyncs(ports.disk, (error) => transactions?.fail(error));
    const folder = openDataFolder(disk, ports.fileLocks, options.dataFolder);
    try {
      const identity = openIdentity(disk, random, folder);
      const recovered = recover({
        disk,
        log,
        databasesFolder: folder.databases,
        logFolder: folder.log,
      });
      transactions = new TransactionLog(
        { disk, background, clock, log, folder: folder.log, segmentBytes: options.segmentBytes },
        recovered.content,
      );
      const { published } = transactions;
      const term = new Term({
        disk,
        folder: folder.path,
        identity,
        role: options.role,
        onEpoch: (epoch) => published.publishEpoch(epoch),
      });
      const committer = new Committer({
        ...ports,
        disk,
        log: transactions,
        folder: folder.log,
        inlineBytes: options.inlineBytes,
        term,
      });
      let scratchCount = 0;
      const context: EngineContext = {
        ...ports,
        disk,
        nodeId: identity.nodeId,
        get canPassThrough() {
          return options.canPassThrough;
        },
        pool: new SlabPool(options.overlayBytes),
        jobs: new Jobs(),
        committer,
        term,
        scratchPath: (purpose) => `${folder.scratch}/${++scratchCount}.${purpose}`,
      };
      return new Engine({ context, folder, recovered, options });
    } catch (error) {
      folder.lock.close();
      throw error;
    }
  }

  get log(): TransactionLog {
    return this.#log;
  }

  get nodeId(): bigint {
    return this.#context.nodeId;
  }

  get role(): Role {
    return this.#context.term.role;
  }

  get epoch(): number {
    return this.#context.term.epoch;
  }

  /**
   * A term of leadership begins. To be called before its first commit: durable when it returns.
   * Throws EPOCH_TOO_LOW for one that is over, DiskError.
   */
  raiseEpoch(epoch: number): void {
    this.#context.term.raiseEpoch(epoch);
  }

  /**
   * Lets clients write, or not any more: transactions under way are given up then, and fail with
   * `reason`. A replica is one until it is opened anew.
   */
  setRole(role: 'primary' | 'suspended', reason = ''): void {
    this.#context.term.setRole(role, reason);
    if (role === 'suspended') this.store.abandonAll();
  }

  /** Whether idle() has more to do right now. */
  get hasWork(): boolean {
    return this.#context.jobs.hasWork || this.#context.committer.hasWaiters;
  }

  /** When tick() is due, by the monotonic clock. */
  get nextTickMs(): number {
    const checkpointMs = this.#checkpointedMs + CHECKPOINT_INTERVAL_MS;
    const dueMs = Math.min(checkpointMs, this.replica?.nextTickMs ?? Infinity);
    // One that is under way is reported by itself.
    if (this.#unsyncedSinceMs === undefined || this.#isSyncing) return dueMs;
    return Math.min(dueMs, this.#unsyncedSinceMs + this.#syncDelayMs);
  }

  get #syncDelayMs(): number {
    return this.#log.published.neededLsn > 0 ? FOLLOWED_SYNC_MS : BACKGROUND_SYNC_MS;
  }

  /** To be called after every request. */
  served(): void {
    const { committer, clock } = this.#context;
    if (committer.hasWaiters && ++this.#requestsWaited >= REQUESTS_BEFORE_SYNC) this.#settle();
    if (this.#log.lastLsn > this.#log.durableLsn) this.#unsyncedSinceMs ??= clock.monotonicMs();
    if (this.#log.failure !== undefined && !this.#isFailed) this.#fail();
  }

  /**
   * To be called when no request is waiting: makes durable what is waited for, goes on with jobs.
   */
  idle(): void {
    this.#settle();
    this.#context.jobs.step();
    const unseenBytes = this.#log.appendedBytes - this.#checkpointedBytes;
    if (unseenBytes >= this.#options.checkpointBytes) this.#startCheckpoint();
  }

  /** What is due: the sync that nobody waits for, checkpoints, trimming. */
  tick(): void {
    const nowMs = this.#context.clock.monotonicMs();
    const sinceMs = this.#unsyncedSinceMs;
    if (sinceMs !== undefined && nowMs >= sinceMs + this.#syncDelayMs) this.#syncInBackground();
    if (nowMs >= this.#checkpointedMs + CHECKPOINT_INTERVAL_MS) this.#startCheckpoint();
    this.replica?.tick();
  }

  /** A database as it is now, to be read at leisure; everything in it is durable. */
  *takeSnapshot(name: string): Job<Snapshot> {
    const files = this.#findDatabase(name);
    const { database } = files;
    // A commit under way has its pages elsewhere until it is done.
    while (files.isBeingApplied) {
      if (files.refusal !== undefined) throw files.refusal;
      yield;
    }
    this.#log.sync();
    const { disk, pool, scratchPath } = this.#context;
    const kept = new PageStore({ disk, pool, scratchPath: scratchPath('snapshot') });
    return new Snapshot({ database, state: files.shownState, wal: files.wal, kept });
  }

  /** Where every database stands, for those who follow the log; all of it is durable. */
  followedStates(): NamedState[] {
    this.#log.sync();
    return [...this.store.databases]
      .filter(({ database }) => database.state.txid > 0n)
      .map(({ name, database }) => [name, followedState(database.state)]);
  }

  /** Makes a file the content of a database, which is made if there is none of that name. */
  importFile(options: ImportOptions): Job<DatabaseFiles> {
    const { store } = this;
    if (!(store instanceof Store)) throw replicaReadOnly(options.name);
    return importFile(this.#context, store, options);
  }

  /** Writes a database, as it is at one moment, to a new file; returns the state written. */
  *exportFile(name: string, path: string, onTransfer?: OnTransfer): Job<DatabaseState> {
    const snapshot = yield* this.takeSnapshot(name);
    return yield* exportFile(this.#context.disk, snapshot, path, onTransfer);
  }

  /** Runs a job between requests; what settles when it ends, or undefined when it has. */
  run(job: Job<void>): Pending | undefined {
    return this.#context.jobs.run(job);
  }

  /** Brings all databases up to date, now: the log is not needed to start again. */
  checkpointAll(): void {
    const syncNow: FileSync = (op, file) => {
      file.sync(op);
      return undefined;
    };
    for (const files of this.store.databases) runToEnd(this.#checkpoint(files, syncNow));
    this.#trim();
  }

  /**
   * Ends the engine. The mount is gone by now: what was not committed is lost, what is in a WAL
   * goes into its database.
   */
  close(): void {
    this.#settle();
    this.snapshots.close();
    this.store.close();
    if (this.#log.failure === undefined) {
      this.#log.sync();
      this.checkpointAll();
    }
    for (const { database } of this.store.databases) database.close();
    this.#log.close();
    this.#context.disk.removeDirectory('folder.scratch.empty', this.folder.scratch);
    this.folder.lock.close();
  }

  #settle(): void {
    this.#requestsWaited = 0;
    this.#context.committer.settle();
    if (this.#log.lastLsn === this.#log.durableLsn) this.#unsyncedSinceMs = undefined;
    if (this.#log.failure !== undefined && !this.#isFailed) this.#fail();
  }

  #syncInBackground(): void {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    this.#unsyncedSinceMs = undefined;
    this.#log.syncInBackground(() => {
      this.#isSyncing = false;
      this.#context.committer.wakeWaiters();
    });
  }

  #startCheckpoint(): void {
    if (this.#isCheckpointing || this.#isFailed) return;
    this.#isCheckpointing = true;
    this.#checkpointedMs = this.#context.clock.monotonicMs();
    this.#checkpointedBytes = this.#log.appendedBytes;
    const ended = this.#context.jobs.run(this.#checkpointInBackground());
    if (ended === undefined) this.#isCheckpointing = false;
    ended?.onSettled((error) => {
      this.#isCheckpointing = false;
      if (error !== undefined) throw error;
    });
  }

  *#checkpointInBackground(): Job<void> {
    const { background } = this.#context;
    for (const files of this.store.databases) {
      const { database } = files;
      yield* files.completeFile();
      if (!needsCheckpoint(database)) continue;
      yield* this.#checkpoint(files, (op, file) => {
        const synced = new Pending();
        database.hold(file, true);
        background.sync(op, file, (error) => {
          database.hold(file, false);
          synced.settle(error);
        });
        return synced;
      });
      yield;
    }
    this.#trim();
  }

  /**
   * One that does not work is tried again later, unless it says that the disk has lost something.
   */
  *#checkpoint(files: ServedDatabase, sync: FileSync): Job<void> {
    const { database } = files;
    try {
      yield* checkpoint({ disk: this.#context.disk, log: this.#log }, database, sync);
      this.#checkpoints.add(1);
    } catch (cause) {
      if (!isDiskFailure(cause)) throw cause;
      if (database.isUnsyncable && files.refusal === undefined) {
        files.refuseWrites(brokenFile(files.name, cause));
        files.abandon();
      } else {
        const fields = { database: files.name, error: cause.message };
        this.#context.log.warn('Cannot bring a database up to date', fields);
      }
    }
  }

  #trim(): void {
    this.snapshots.removeUnused();
    if (this.#log.failure !== undefined) return;
    const { disk, clock, log } = this.#context;
    const { retentionMs, retentionBytesMax: bytesMax } = this.#options;
    const { neededLsn, firstLsn: firstBefore } = this.#log.published;
    const coveredLsn = this.#coveredLsn;
    try {
      const { availableBytes } = disk.space('engine.space', this.folder.path);
      const beforeMs = clock.wallMs() - retentionMs;
      // What a snapshot needs is kept while as much again would find room: else it was in vain.
      const keepsPinned = availableBytes > bytesMax;
      this.#log.trim({ coveredLsn, beforeMs, bytesMax, keepsPinned });
    } catch (error) {
      if (!isDiskFailure(error)) throw error;
      log.warn('Cannot trim the log', { error: error.message });
    }
    const { firstLsn } = this.#log.published;
    if (neededLsn >= firstBefore && neededLsn < firstLsn) {
      const fields = { neededLsn, firstLsn, limitBytes: bytesMax };
      log.warn('A replica is too slow: the log is not kept for it any longer', fields);
    }
  }

  /** The log up to this record is not needed to start again. */
  get #coveredLsn(): number {
    const databases = [...this.store.databases].map(({ database }) => database);
    return coveredLsn(databases, this.#log.durableLsn);
  }

  /**
   * Nothing can be committed any more: whoever is in the middle of it must not block the readers.
   */
  #fail(): void {
    this.#isFailed = true;
    this.store.abandonAll();
  }

  #findDatabase(name: string): ServedDatabase {
    const files = this.store.findDatabase(name);
    if (files !== undefined && files.shownState.pageCount > 0) return files;
    throw new EngineError('DATABASE_NOT_FOUND', `There is no database ${JSON.stringify(name)}`);
  }
}

interface EngineParts {
  readonly context: EngineContext;
  readonly folder: DataFolder;
  readonly recovered: Recovered;
  readonly options: EngineOptions;
}
