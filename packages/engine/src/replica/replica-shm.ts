// The wal-index of a database on a replica, as clients have it open. The node alone says in it what
// is in the WAL (replica-index.ts); of what clients write only the marks of readers count.

import type { DiskFile } from '@skein/host';
import { WAL_READ_MARKS_OFFSET, WAL_READ_MARKS_SIZE } from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import type { MountFile } from '../files/mount-file.ts';
import { OpenScratch } from '../files/open-scratch.ts';

export class ReplicaShm implements MountFile {
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly file: DiskFile;
  readonly #context: EngineContext;
  readonly #scratch: OpenScratch;
  /** Until then it belongs to whoever of the clients comes first, as SQLite has it. */
  isOurs = false;

  constructor(context: EngineContext, file: DiskFile) {
    this.#context = context;
    this.file = file;
    this.#scratch = new OpenScratch(context.disk, file);
  }

  get sizeBytes(): number {
    return this.file.size('shm.size');
  }

  get backing(): DiskFile | undefined {
    return this.#context.canPassThrough ? this.file : undefined;
  }

  opened(): void {
    this.#scratch.opened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.file.read('shm.read', into, offset, length, position);
  }

  /**
   * The kernel writes whole pages of its memory, as they were a moment ago: the file may say more
   * by now.
   */
  write(from: Uint8Array, offset: number, length: number, position: number): undefined {
    const start = this.isOurs ? Math.max(position, WAL_READ_MARKS_OFFSET) : position;
    const end = this.isOurs
      ? Math.min(position + length, WAL_READ_MARKS_OFFSET + WAL_READ_MARKS_SIZE)
      : position + length;
    if (start >= end) return undefined;
    this.file.write('shm.write', from, offset + start - position, end - start, start);
    return undefined;
  }

  /** With the DMS byte held nobody cuts it; it grows by the node alone, with zeros. */
  truncate(sizeBytes: number): undefined {
    if (!this.isOurs) this.file.truncate('shm.truncate', sizeBytes);
    return undefined;
  }

  sync(): undefined {
    return undefined;
  }

  flush(): undefined {
    return undefined;
  }

  release(): void {
    this.#scratch.released();
  }

  /** Its name is gone; clients that have it open keep it. */
  unlink(): void {
    this.#scratch.unlink();
  }

  close(): void {
    this.#scratch.close();
  }
}
