// What the engine asks of the world: disk, clock and chance, as @skein/host declares them, and what
// is declared here: what the kernel remembers of our files, and what clients do with them without
// asking us.

import type { BackgroundIo, Clock, Disk, DiskFile, Log, Metrics, Random } from '@skein/host';

import type { Pending } from './jobs/pending.ts';

export interface EnginePorts {
  readonly disk: Disk;
  readonly background: BackgroundIo;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly kernel: KernelCache;
  readonly locks: ClientLocks;
  readonly memory: ClientMemory;
  /** Used in the role of a replica alone. */
  readonly replicaLocks: ReplicaLocks;
}

/**
 * The kernel caches names, attributes and pages of the mount for as long as it likes. Whatever the
 * engine changes by itself, the kernel has to be told to forget.
 *
 * A call takes effect later, on another thread: the thread that answers the kernel's requests must
 * not send it notifications, for the two would wait for each other. `done` is called on the
 * engine's thread when the kernel has forgotten.
 */
export interface KernelCache {
  /** The content of a file and its attributes, of all that is open of it too. */
  forgetContent(name: string, done?: () => void): void;
  /** The same of parts of a file, and of its attributes. */
  forgetRanges(name: string, ranges: readonly ByteRange[], done: () => void): void;
  /**
   * Puts bytes into the kernel's pages of a file, piece after piece. What is asked of the content
   * of files takes effect in the order in which it was asked, whatever file it is about.
   */
  store(name: string, pieces: readonly ContentPiece[], done?: () => void): void;
  /**
   * That a name exists, or that it does not. Blocks while an operation on a name is being answered.
   */
  forgetName(name: string): void;
  /**
   * The engine has removed a file by itself: the name leads to nothing, or, from now on, to another
   * file. Who has it open keeps what he has.
   */
  removed(name: string): void;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ContentPiece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The locks that clients hold; the kernel keeps them. */
export interface ClientLocks {
  /** Whether this process has byte `byte` of a file on the mount locked against everybody else. */
  holdsExclusively(name: string, byte: number, pid: number): boolean;
  /**
   * Keeps all clients of a database from reading and writing it, as soon as no transaction is under
   * way; gives up after a while. `done` gets what ends that again, or the reason why it did not
   * work.
   */
  exclude(database: string, done: (outcome: Exclusion | Error) => void): void;
}

export interface Exclusion {
  end(): void;
}

/** The memory that clients share by mapping a file of the mount. */
export interface ClientMemory {
  /** The first `length` bytes, as clients see them now. */
  map(name: string, file: DiskFile, length: number): ClientMapping;
}

export interface ClientMapping {
  readonly bytes: Uint8Array;
  /** Clients see what was changed in `bytes` when this is settled, the header of the file last. */
  publish(): Pending | undefined;
  /**
   * The same of these ranges alone, in this order: what lies between them clients may be changing.
   * In shared memory it is there already. Ends the mapping, as publish() does.
   */
  publishRanges(ranges: readonly ByteRange[]): Pending | undefined;
}

/** What a replica does with its own mount like one more client: it takes part in SQLite's locks. */
export interface ReplicaLocks {
  /** The mount is about to go: what the node has of it is being closed, and no lock is held. */
  readonly hasEnded: boolean;
  /**
   * Opens NAME (for reading) and NAME-shm through the mount, on another thread, as soon as there is
   * a mount; then holds SHARED on the database and the DMS byte of the wal-index, both shared: no
   * client is the first or the last connection from then on. `done` is called on the engine's
   * thread.
   */
  join(database: string, done: (outcome: Presence | Error) => void): void;
}

/** Locks on the bytes of NAME-shm (WAL_WRITE_LOCK and so on); nothing here asks the mount. */
export interface Presence {
  /** Takes `count` bytes from `byte` on without waiting; false when somebody is in the way. */
  tryLock(byte: number, count: number, kind: 'shared' | 'exclusive'): boolean;
  unlock(byte: number, count: number): void;
  /**
   * The process that keeps us from locking a byte exclusively; 0 when that is not to be found out.
   */
  holderOf(byte: number): number | undefined;
  /**
   * The first `length` bytes of NAME-shm as clients have them now, read through the mount on the
   * other thread: marks of readers are in their memory alone.
   */
  readIndex(length: number, done: (outcome: Uint8Array | Error) => void): void;
  /** Closes the files; the locks go with them. */
  release(): void;
}
