// Applies what a database of a replica has in its backlog, in steps between requests, as far as it
// is durable in the log and nothing is in the way.
//
// Invariants:
//  - Frames are shown only of transactions that are durable here.
//  - Whatever is in the way holds up applying alone, never the log.

import { DiskError } from '@skein/host';
import { WAL_READ_LOCK_COUNT, WAL_READ_LOCK_FIRST, WAL_WRITE_LOCK } from '@skein/sqlite-file';

import type { Database } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import type { JobLock } from '../jobs/job-lock.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import type { Presence } from '../ports.ts';
import { type LoggedLtx, writeFile, writeFrames } from './apply.ts';
import type { Backlog, Waiting } from './backlog.ts';
import { readLogged } from './logged.ts';
import type { Obstacle } from './obstacle.ts';
import type { ReplicaContext } from './replica-context.ts';
import { ShownFiles } from './shown-files.ts';
import { backfill, type CheckpointParts, tryRestart } from './wal-checkpoint.ts';
import { WalWriter } from './wal-writer.ts';

/** So much becomes visible at once when there is more than one transaction: one step of a job. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_COUNT = 256;

/** After this many frames their pages go into the database file: SQLite's default. */
const BACKFILL_FRAMES = 1000;

/**
 * A WAL of this size is worth some moments in which nothing is applied: readers that begin then
 * need no frame, those from before end, and it can begin anew.
 */
const PATIENCE_BYTES = 32 * 1024 * 1024;
const PAUSES_MAX = 4;

export interface ApplierOptions {
  readonly context: ReplicaContext;
  readonly database: Database;
  readonly backlog: Backlog;
  /** Held by whatever changes the files. */
  readonly lock: JobLock;
  /** Something else is visible now. */
  readonly onApplied: () => void;
  /** start() is to be called again after a while. */
  readonly onWaiting: () => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  #files: ShownFiles | undefined;
  #visibleState: DatabaseState | undefined;
  #presence: Presence | undefined;
  #isJoining = false;
  /** Who waits for the node to be among the clients. */
  #attending: Pending[] = [];
  /** Whether WAL_WRITE_LOCK is held: once it is, it stays. */
  #isWriter = false;
  #isRunning = false;
  #obstacle: Obstacle | undefined;
  /** Pages go into the database file when the WAL has this many frames. */
  #backfillAt = BACKFILL_FRAMES;
  #pausesLeft = 0;
  #isPausing = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** What clients see; undefined before the first transaction is whole, and after a drop. */
  get files(): ShownFiles | undefined {
    return this.#files;
  }

  /** What readers find; without passthrough a moment later than it is in the WAL. */
  get visibleState(): DatabaseState | undefined {
    return this.#visibleState;
  }

  get obstacle(): Obstacle | undefined {
    return this.#obstacle;
  }

  /** Whether onWaiting() still counts. */
  get isWaiting(): boolean {
    return this.#obstacle !== undefined || this.#isPausing;
  }

  /** The file is whole: shows it. */
  show(files: ShownFiles): void {
    this.#files = files;
    this.#visibleState = files.wal.state;
    this.#backfillAt = BACKFILL_FRAMES;
  }

  /**
   * Somebody is about to open the database: the node is to be among its clients before, or he would
   * be the first of them, who has the wal-index for himself for a moment. Undefined when it is;
   * settles, too, when it cannot be.
   */
  attend(): Pending | undefined {
    if (this.#files === undefined || this.#files.index.isStarted) return undefined;
    const attended = new Pending();
    this.#attending.push(attended);
    this.start();
    return attended;
  }

  /** To be called when something has become durable, and while isWaiting now and then. */
  start(): void {
    if (this.#isRunning) return;
    if (!this.#isNeeded) {
      this.#obstacle = undefined;
      return;
    }
    const { jobs } = this.#options.context.engine;
    this.#isRunning = true;
    const ended = jobs.run(this.#options.lock.hold(this.#run()));
    ended?.onSettled((error) => {
      if (error !== undefined) throw error;
    });
  }

  /** The database is gone, or another one from now on. To be called with the lock held. */
  remove(): void {
    this.#options.backlog.clear();
    this.#presence?.release();
    this.#presence = undefined;
    this.#isWriter = false;
    this.#files?.remove();
    this.#files = undefined;
    this.#visibleState = undefined;
    this.#obstacle = undefined;
    this.#attended();
  }

  /** Nobody uses the mount any more. */
  close(): void {
    this.#presence?.release();
    this.#files?.close();
  }

  /** Copies what readers allow into the database file. To be called with the lock held. */
  *completeFile(): Job<void> {
    const parts = this.#parts();
    if (parts !== undefined) yield* backfill(parts);
  }

  /** The next transaction that may be applied. */
  #next(): Waiting | undefined {
    const { backlog, context } = this.#options;
    const { next } = backlog;
    return next !== undefined && this.#isDurable(next, context) ? next : undefined;
  }

  #isDurable({ lsn }: Waiting, { engine }: ReplicaContext): boolean {
    return lsn <= engine.committer.log.durableLsn;
  }

  get #isNeeded(): boolean {
    return this.#next() !== undefined || this.#attending.length > 0 || this.#hasHidden;
  }

  /** Whether there are frames that could not be shown. */
  get #hasHidden(): boolean {
    const files = this.#files;
    return (
      files?.index.isStarted === true && files.index.mxFrame < files.wal.committed.frames.count
    );
  }

  *#run(): Job<void> {
    try {
      while (this.#isNeeded) {
        if (this.#files === undefined) yield* this.#makeFile(this.#next()!);
        else if (!(yield* this.#takePart(this.#files))) return;
        else {
          this.#attended();
          if (this.#hasHidden) yield* this.#publish(this.#files);
          if (this.#next() === undefined || !(yield* this.#prepare())) return;
          yield* this.#applyBatch(this.#files);
        }
        this.#options.onApplied();
        yield;
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#meet({ kind: 'disk', message: error.message });
    } finally {
      this.#isRunning = false;
      if (!this.#isJoining) this.#attended();
    }
  }

  /** The first transaction of a database is all of it: nobody sees the file before it is whole. */
  *#makeFile(waiting: Waiting): Job<void> {
    const { context, database, backlog } = this.#options;
    database.openFile();
    const state = yield* writeFile(database, this.#read(waiting));
    const files = new ShownFiles(context.engine, database, state);
    backlog.dropThrough(waiting.lsn);
    this.show(files);
    files.announce();
    this.#obstacle = undefined;
  }

  /** Whether the node is among the clients, as the writer. */
  *#takePart({ wal, index }: ShownFiles): Job<boolean> {
    // What is left is in the log, and in the database file at the next start.
    if (this.#options.context.engine.replicaLocks.hasEnded) return false;
    const presence = this.#presence;
    if (presence === undefined) {
      this.#join();
      return false;
    }
    if (!this.#isWriter && !presence.tryLock(WAL_WRITE_LOCK, 1, 'exclusive')) {
      this.#meet(obstacleOf('writer', presence, WAL_WRITE_LOCK));
      return false;
    }
    this.#isWriter = true;
    if (!index.isStarted) yield* index.start(wal.committed, wal.state.pageCount);
    return true;
  }

  /** Whether there is room for frames. */
  *#prepare(): Job<boolean> {
    const obstacle = yield* this.#makeRoom(this.#parts()!);
    if (obstacle !== undefined) this.#meet(obstacle);
    else if (!this.#isPausing) this.#obstacle = undefined;
    return obstacle === undefined && !this.#isPausing;
  }

  /** Takes the node's own place among the clients; goes on when it has it. */
  #join(): void {
    if (this.#isJoining) return;
    const { context, database } = this.#options;
    const files = this.#files;
    this.#isJoining = true;
    context.engine.replicaLocks.join(database.name, (outcome) => {
      this.#isJoining = false;
      if (outcome instanceof Error) {
        this.#meet({ kind: 'mount', message: outcome.message });
        return this.#attended();
      }
      // The name may lead to another file by now.
      if (this.#files === files) this.#presence = outcome;
      else outcome.release();
      this.start();
    });
  }

  #attended(): void {
    const attending = this.#attending;
    this.#attending = [];
    for (const attended of attending) attended.settle();
  }

  /** Moves pages into the database file when there are many, and begins the WAL anew if it can. */
  *#makeRoom(parts: CheckpointParts): Job<Obstacle | undefined> {
    const { wal } = parts;
    const isDue = wal.committed.frames.count >= this.#backfillAt;
    const isFull = wal.usedBytes >= this.#options.context.walBytesMax;
    if (!this.#isPausing && (isDue || isFull)) {
      const lock = yield* backfill(parts);
      this.#backfillAt = wal.committed.frames.count + BACKFILL_FRAMES;
      this.#pausesLeft = wal.usedBytes >= PATIENCE_BYTES ? PAUSES_MAX : 0;
      if (lock !== undefined) {
        return isFull ? obstacleOf('reader', parts.presence, lock) : undefined;
      }
    }
    if (yield* tryRestart(parts)) {
      this.#backfillAt = BACKFILL_FRAMES;
      this.#isPausing = false;
    } else {
      this.#isPausing = this.#pausesLeft > 0;
      this.#pausesLeft = Math.max(this.#pausesLeft - 1, 0);
      if (this.#isPausing) this.#options.onWaiting();
      if (isFull) return obstacleOf('reader', parts.presence, findReader(parts.presence));
    }
    return undefined;
  }

  /** Shows the next transactions, as many as make a step, by one change of the wal-index. */
  *#applyBatch({ wal, index }: ShownFiles): Job<void> {
    const { context, database, backlog } = this.#options;
    const batch = this.#nextBatch();
    const { engine } = context;
    // What has to be read from the log has an unknown size, and there is much of it.
    const capacityBytes = batch.reduce((sum, { sizeBytes }) => sum + (sizeBytes || BATCH_BYTES), 0);
    const writer = new WalWriter(wal, {
      capacityBytes,
      // Where the kernel reads the file by itself it needs no copy.
      onWritten: (position, bytes) => {
        if (engine.canPassThrough) return;
        const piece = { offset: position, bytes: bytes.slice() };
        engine.kernel.store(`${database.name}-wal`, [piece]);
      },
    });
    for (const waiting of batch) {
      yield* writeFrames({ database, wal, writer }, this.#read(waiting));
    }
    writer.finish();
    yield* index.reserve(writer.frameCount);
    writer.keep();
    backlog.dropThrough(batch.at(-1)!.lsn);
    yield* this.#publish({ wal, index });
  }

  /** Throws DiskError where the wal-index is no shared memory; it is tried again then. */
  *#publish({ wal, index }: Pick<ShownFiles, 'wal' | 'index'>): Job<void> {
    yield* index.publish(wal.committed);
    this.#visibleState = wal.state;
    this.#obstacle = undefined;
  }

  #nextBatch(): Waiting[] {
    const { context, backlog } = this.#options;
    const batch: Waiting[] = [];
    let bytes = 0;
    while (batch.length < Math.min(backlog.count, BATCH_COUNT) && bytes < BATCH_BYTES) {
      const waiting = backlog.at(batch.length);
      const isAlone = batch.length > 0 && (waiting.isWhole || batch.at(-1)!.isWhole);
      if (isAlone || !this.#isDurable(waiting, context)) break;
      batch.push(waiting);
      bytes += waiting.sizeBytes;
    }
    return batch;
  }

  #read({ lsn, source, sizeBytes }: Waiting): LoggedLtx {
    const { logReader } = this.#options.context;
    return { lsn, source: source ?? readLogged(logReader, lsn), sizeBytes };
  }

  #parts(): CheckpointParts | undefined {
    const presence = this.#presence;
    const files = this.#files;
    if (presence === undefined || files === undefined || !files.index.isStarted) return undefined;
    const { context, database } = this.#options;
    const { wal, index } = files;
    return { context: context.engine, database, wal, index, presence };
  }

  #meet(obstacle: Obstacle): void {
    const { log } = this.#options.context.engine;
    const isNew = this.#obstacle?.kind !== obstacle.kind;
    this.#obstacle = obstacle;
    this.#options.onWaiting();
    if (!isNew) return;
    const fields = { database: this.#options.database.name, pid: obstacle.pid };
    log.warn(`Transactions are logged and not applied: ${obstacle.message}`, fields);
  }
}

/** The lock of a reader who is in the way of beginning the WAL anew. */
function findReader(presence: Presence): number {
  const locks = Array.from({ length: WAL_READ_LOCK_COUNT }, (_, n) => WAL_READ_LOCK_FIRST + n);
  return locks.slice(1).find((lock) => presence.holderOf(lock) !== undefined) ?? locks[1]!;
}

function obstacleOf(kind: 'writer' | 'reader', presence: Presence, byte: number): Obstacle {
  const pid = presence.holderOf(byte);
  const message =
    kind === 'writer' ? 'a client holds the lock of the writer' : 'a reader needs an old state';
  return { kind, message, ...(pid !== undefined && pid > 0 && { pid }) };
}
