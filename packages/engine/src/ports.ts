// What the engine asks of the world besides disk, clock and chance: what the kernel remembers of
// our files, and what clients do with them without asking us.

import type { DiskFile } from '@skein/host';

import type { Pending } from './pending.ts';

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
  /**
   * That a name exists, or that it does not. Blocks while an operation on a name is being answered.
   */
  forgetName(name: string): void;
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
}
