// The node as a replica: takes what the primary has committed into its own log, byte for byte, and
// applies it.
//
//   verify → log → one sync for all that came together → acknowledged → applied, as readers allow
//
// Invariants:
//  - A transaction is in the log only if it begins where the database stands, and all its checksums
//    are right; its record has the epoch of the sender.
//  - What is acknowledged is durable, whether it is applied or not.
//  - An older epoch than one that was seen is refused.

import type { DiskFile } from '@skein/host';
import { type ByteSource, bytesSource, isSnapshot, type Position } from '@skein/ltx';

import type { EngineContext } from '../context.ts';
import type { DataFolder } from '../data-folder/data-folder.ts';
import { Database } from '../database/database.ts';
import { EngineError, isDiskFailure, LogFailedError } from '../errors.ts';
import { findNameFault } from '../files/names.ts';
import { JobLock } from '../jobs/job-lock.ts';
import type { Job } from '../jobs/jobs.ts';
import type { LogEntry } from '../log/transaction-log.ts';
import { BacklogMemory } from './backlog.ts';
import { keepDiverged } from './diverged.ts';
import type { Obstacle } from './obstacle.ts';
import type { ReplicaContext } from './replica-context.ts';
import { ReplicaDatabase } from './replica-database.ts';
import { type VerifiedTransaction, verifyReceived } from './verify.ts';

/** A transaction of the primary, as it came: a whole LTX V1 file. */
export interface ReceivedLtx {
  readonly database: string;
  /** The term in which the sender is primary. */
  readonly epoch: number;
  /** Not to be changed any more. */
  readonly bytes: Uint8Array;
}

/** One that is too large for memory. */
export interface ReceivedLtxFile {
  readonly database: string;
  readonly epoch: number;
  /** In the folder `scratch` of the data folder, written and not synced; belongs to the engine. */
  readonly path: string;
}

/** What became of transactions that were received together. */
export interface Reception {
  /** So many of them are durable here, from the first on. */
  readonly takenCount: number;
  /** Why the next was not taken: EngineError, or DiskError when the disk is full. */
  readonly refusal: Error | undefined;
}

/** Where a database stands for readers, and what keeps it from being further. */
export interface AppliedState {
  readonly name: string;
  readonly position: Position;
  /** Transactions that are durable here, and not visible. */
  readonly waitingCount: number;
  readonly obstacle: Obstacle | undefined;
}

export interface ReplicaOptions {
  readonly context: EngineContext;
  readonly folder: DataFolder;
  /** As recovery has left them: all that is in the log is in their files. */
  readonly databases: Iterable<Database>;
  readonly walBytesMax: number;
}

/** Of transactions that wait to be applied; what is more is read from the log again. */
const BACKLOG_BYTES_MAX = 16 * 1024 * 1024;

/** What is in the way of applying is looked at again after this time. */
const RETRY_MS = 50;

export class Replica {
  readonly databases: Map<string, ReplicaDatabase> = new Map();
  readonly #context: EngineContext;
  readonly #folder: DataFolder;
  readonly #shared: ReplicaContext;
  /** One reception at a time: each begins where the one before has ended. */
  readonly #turn = new JobLock();
  readonly #listeners = new Set<(name: string) => void>();
  /** Databases for which something is in the way. */
  readonly #waiting = new Set<ReplicaDatabase>();
  #retriedMs = 0;

  constructor({ context, folder, databases, walBytesMax }: ReplicaOptions) {
    this.#context = context;
    this.#folder = folder;
    const { disk, committer } = context;
    this.#shared = {
      engine: context,
      logReader: { disk, log: committer.log, folder: folder.log },
      backlogMemory: new BacklogMemory(BACKLOG_BYTES_MAX),
      walBytesMax,
      onApplied: ({ name }) => {
        for (const listener of this.#listeners) listener(name);
      },
      onWaiting: (files) => void this.#waiting.add(files),
    };
    for (const database of databases) {
      this.databases.set(database.name, new ReplicaDatabase(this.#shared, database));
    }
  }

  /** Where the databases stand, as far as it is durable here; dropped ones too. */
  positions(): Map<string, Position> {
    return this.#positions(({ durableState }) => durableState);
  }

  /** Where they stand for readers. */
  appliedPositions(): Map<string, Position> {
    return this.#positions(({ visibleState }) => visibleState);
  }

  appliedStates(): AppliedState[] {
    return [...this.databases.values()].map((files) => {
      const { name, visibleState, waitingCount, obstacle } = files;
      const { txid, checksum } = visibleState;
      return { name, position: { txid, checksum }, waitingCount, obstacle };
    });
  }

  /** Calls back, on the engine's thread, when a database has moved for readers. Ends it again. */
  onApplied(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Takes transactions into the log, in this order. The result is there when those that were taken
   * are durable. Throws LogFailedError.
   */
  receive(transactions: readonly ReceivedLtx[]): Job<Reception> {
    return this.#turn.hold(this.#receive(transactions));
  }

  /**
   * Takes one that lies in a file, which is gone afterwards. Throws EngineError and DiskError; the
   * file is removed then.
   */
  receiveFile(file: ReceivedLtxFile): Job<void> {
    return this.#turn.hold(this.#receiveFile(file));
  }

  /** When tick() is due, by the monotonic clock. */
  get nextTickMs(): number {
    return this.#waiting.size === 0 ? Infinity : this.#retriedMs + RETRY_MS;
  }

  tick(): void {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs < this.nextTickMs) return;
    this.#retriedMs = nowMs;
    for (const files of this.#waiting) {
      files.apply();
      if (!files.isWaiting) this.#waiting.delete(files);
    }
  }

  close(): void {
    for (const files of this.databases.values()) files.close();
  }

  *#receive(transactions: readonly ReceivedLtx[]): Job<Reception> {
    const taken = new Set<ReplicaDatabase>();
    let takenCount = 0;
    let refusal: Error | undefined;
    try {
      for (const transaction of transactions) {
        taken.add(yield* this.#take(transaction));
        takenCount++;
      }
    } catch (error) {
      const isRefusal = error instanceof EngineError || isDiskFailure(error);
      if (!isRefusal || error instanceof LogFailedError) throw error;
      refusal = error;
    }
    yield* this.#settle(taken);
    return { takenCount, refusal };
  }

  *#take({ database: name, epoch, bytes }: ReceivedLtx): Job<ReplicaDatabase> {
    this.#context.term.raiseEpoch(epoch);
    const files = this.#filesOf(name);
    const verified = yield* verifyReceived(files.database, bytesSource(bytes), bytes.length);
    yield* this.#keepDiverged(files, verified);
    const entry: LogEntry = {
      ...entryFields(name, verified),
      besideId: undefined,
      write: (sink) => sink(bytes, 0, verified.sizeBytes),
    };
    yield* this.#append(files, verified, { entry, bytes });
    return files;
  }

  *#receiveFile({ database: name, epoch, path }: ReceivedLtxFile): Job<void> {
    const { disk, committer, term } = this.#context;
    try {
      term.raiseEpoch(epoch);
      const files = this.#filesOf(name);
      const verified = yield* this.#verifyFile(files, path);
      yield* this.#keepDiverged(files, verified);
      const besideId = yield* committer.adoptBeside(path);
      const entry = { ...entryFields(name, verified), besideId, write: () => {} };
      yield* this.#append(files, verified, { entry, bytes: undefined });
      yield* this.#settle([files]);
    } finally {
      // Where it was taken it has another name by now.
      disk.remove('received.remove', path);
    }
  }

  *#verifyFile(files: ReplicaDatabase, path: string): Job<VerifiedTransaction> {
    const file = this.#context.disk.open('received.open', path, 'read');
    try {
      return yield* verifyReceived(files.database, fileSource(file));
    } finally {
      file.close();
    }
  }

  /** A database that is made anew, or dropped so, may have what the primary never had. */
  *#keepDiverged({ database }: ReplicaDatabase, { header }: VerifiedTransaction): Job<void> {
    if (!isSnapshot(header) || database.state.txid === 0n) return;
    const { engine: context, logReader } = this.#shared;
    yield* keepDiverged({ context, logReader, database, healed: header });
  }

  *#append(
    files: ReplicaDatabase,
    verified: VerifiedTransaction,
    { entry, bytes }: { readonly entry: LogEntry; readonly bytes: Uint8Array | undefined },
  ): Job<void> {
    const { committer } = this.#context;
    const { pageSize } = files.database.state;
    const { next } = verified;
    files.prepareFor(verified);
    const lsn = committer.appendReceived(entry);
    const isOther = pageSize !== undefined && pageSize !== next.pageSize;
    // What is dropped or replaced must be out of the way before the next comes.
    if (isOther && next.pageCount > 0) {
      yield* this.#whenDurable(lsn);
      yield* files.makeWay();
    }
    try {
      files.logged(verified, lsn, bytes);
    } catch (error) {
      // It is in the log: what does not fit behind it must not get there before a restart.
      throw committer.log.fail(error);
    }
    if (next.pageCount > 0) return;
    yield* this.#whenDurable(lsn);
    yield* files.drop();
  }

  *#settle(taken: Iterable<ReplicaDatabase>): Job<void> {
    yield* this.#whenDurable(this.#context.committer.log.lastLsn);
    for (const files of taken) files.settled();
  }

  *#whenDurable(lsn: number): Job<void> {
    const durable = this.#context.committer.whenDurable(lsn);
    if (durable !== undefined) yield durable;
  }

  #filesOf(name: string): ReplicaDatabase {
    const known = this.databases.get(name);
    if (known !== undefined) return known;
    const fault = findNameFault(name);
    if (fault !== undefined) {
      const message = `Cannot make database ${JSON.stringify(name)}: ${fault}`;
      throw new EngineError('DATABASE_NAME', message);
    }
    const folder = `${this.#folder.databases}/${name}`;
    const database = new Database(this.#context, { name, folder });
    const files = new ReplicaDatabase(this.#shared, database);
    this.databases.set(name, files);
    return files;
  }

  #positions(
    stateOf: (files: ReplicaDatabase) => Pick<Position, 'txid' | 'checksum'>,
  ): Map<string, Position> {
    const positions = new Map<string, Position>();
    for (const [name, files] of this.databases) {
      const { txid, checksum } = stateOf(files);
      if (txid > 0n) positions.set(name, { txid, checksum });
    }
    return positions;
  }
}

function entryFields(
  database: string,
  { header, sizeBytes }: VerifiedTransaction,
): Pick<LogEntry, 'database' | 'ltxBytes' | 'minTxid' | 'maxTxid'> {
  const { minTxid, maxTxid } = header;
  return { database, ltxBytes: sizeBytes, minTxid, maxTxid };
}

function fileSource(file: DiskFile): ByteSource {
  return {
    read: (into, offset, length, position) =>
      file.read('received.read', into, offset, length, position),
  };
}
