// The disk as the engine sees it: a port with two implementations, the real one (node-disk.ts) and
// the simulated one of the testkit, which loses what was not synced.
//
// Everything is synchronous. The engine runs on the thread that serves the mount, one request after
// the other, and a call that suspended in the middle of a commit would let another request in. Work
// that is too slow for that thread goes through BackgroundIo.
//
// Every call carries the name of the operation it is part of ("log.append", "checkpoint.rename").
// The names appear in errors and let crash tests stop the world before or after any one of them.

export type OpenMode =
  /** Must exist; read only. */
  | 'read'
  /** Must exist; read and write. */
  | 'update'
  /** Created if missing, never emptied. */
  | 'open-or-create'
  /** Created, or emptied if it exists. */
  | 'create';

export interface DiskStat {
  readonly sizeBytes: number;
  readonly isDirectory: boolean;
  readonly modifiedMs: number;
}

export interface DiskSpace {
  readonly totalBytes: number;
  /** What a process without privileges may still use. */
  readonly availableBytes: number;
}

/** An open file. All offsets and lengths are in bytes. */
export interface DiskFile {
  readonly path: string;
  /**
   * The descriptor, for what only the kernel can do with it (passthrough); undefined if simulated.
   */
  readonly fd: number | undefined;

  /**
   * Reads up to `length` bytes at `position` into `into` at `offset`.
   * Returns how many were read: fewer only at the end of the file.
   */
  read(op: string, into: Uint8Array, offset: number, length: number, position: number): number;

  /** Writes exactly `length` bytes of `from` at `position`, or throws. Past the end it extends. */
  write(op: string, from: Uint8Array, offset: number, length: number, position: number): void;

  truncate(op: string, sizeBytes: number): void;

  size(op: string): number;

  /** Returns when data and size are durable (fdatasync). A failure is final: never retry it. */
  sync(op: string): void;

  close(): void;
}

export interface Disk {
  open(op: string, path: string, mode: OpenMode): DiskFile;
  /** Replaces `to` atomically; durable after `syncDirectory` of the folder. */
  rename(op: string, from: string, to: string): void;
  /** Removes a file; one that does not exist is no error. */
  remove(op: string, path: string): void;
  /** Removes a folder with all that is in it; one that does not exist is no error. */
  removeDirectory(op: string, path: string): void;
  /** Creates a folder and its parents; one that exists is no error. */
  makeDirectory(op: string, path: string): void;
  /** Names in a folder, sorted. */
  list(op: string, path: string): string[];
  /** Undefined when there is nothing at that path. */
  stat(op: string, path: string): DiskStat | undefined;
  /** Makes the names in a folder durable: what was created, renamed or removed in it. */
  syncDirectory(op: string, path: string): void;
  space(op: string, path: string): DiskSpace;
}

/**
 * Disk work that must not hold up the mount: done elsewhere, one job after the other, each reported
 * on the engine's own thread between two requests.
 *
 * A file stays open until the jobs on it have been reported.
 */
export interface BackgroundIo {
  /** As DiskFile.sync. `done` gets the error, if any. */
  sync(op: string, file: DiskFile, done: (error: Error | undefined) => void): void;
  /**
   * Writes zeros from byte `from` to byte `to`, then syncs: space that later needs no allocation.
   */
  fill(
    op: string,
    file: DiskFile,
    range: { readonly from: number; readonly to: number },
    done: (error: Error | undefined) => void,
  ): void;
}
