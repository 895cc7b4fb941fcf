// What every file of the mount can do, whatever it is: the operations that the kernel asks for, in
// terms of bytes. The engine knows nothing of inodes and file handles.
//
// An operation that returns undefined is done. One that returns a Pending is not: nobody may be
// told that it is before it settles. One that throws, or settles with an error, has failed.

import type { DiskFile } from '@skein/host';

import type { Pending } from '../jobs/pending.ts';

export interface MountFile {
  /** Size that a client sees. */
  readonly sizeBytes: number;

  /**
   * The file behind it, when the kernel may read and write that by itself (FUSE_PASSTHROUGH). Asked
   * at each open; undefined when the node has to see what is written.
   */
  readonly backing: DiskFile | undefined;

  /** Whether the kernel must not cache what this descriptor reads and writes. */
  readonly bypassesCache: boolean;

  /** Whether the end of a client matters: its last close is then reported to flush(). */
  readonly wantsFlush: boolean;

  /** A client has opened it: one release() will follow. */
  opened(): void;

  /** Reads up to `length` bytes; fewer only at the end. */
  read(into: Uint8Array, offset: number, length: number, position: number): number;

  write(from: Uint8Array, offset: number, length: number, position: number): Pending | undefined;

  truncate(sizeBytes: number): Pending | undefined;

  /** Settles when what was written is as durable as SQLite takes it to be after an fsync. */
  sync(): Pending | undefined;

  /**
   * A client closes a descriptor, or dies with it: `pid` is its process, 0 when that is unknown.
   */
  flush(pid: number): Pending | undefined;

  /** The last descriptor of an open is gone. The kernel does not wait for this. */
  release(): void;
}
