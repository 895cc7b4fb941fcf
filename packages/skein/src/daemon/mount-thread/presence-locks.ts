// The node as one more client of the databases that it follows: on each it holds the locks by which
// SQLite tells that a connection exists (https://sqlite.org/lockingv3.html; "unix" VFS of
// src/os_unix.c, unixLockSharedMemory). No client is then the first, who empties the wal-index, or
// the last, who removes the WAL.
//
// The files are opened through the mount, so this runs on the main thread: the thread that serves
// the mount would wait for itself. It gets the descriptors, and takes all further locks on its own.

import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError } from '@skein/engine';
import type { FileLocks } from '@skein/host';
import { SHARED_FIRST, SHARED_SIZE, WAL_DMS_LOCK } from '@skein/sqlite-file';

const RETRY_MS = 5;
/** Only a client that is about to begin or to end is ever in the way. */
const TIMEOUT_MS = 5_000;

interface PresenceFiles {
  readonly database: FileHandle;
  readonly shm: FileHandle;
}

export class PresenceLocks {
  readonly #locks: FileLocks;
  readonly #held = new Map<number, PresenceFiles>();
  #hasEnded = false;

  constructor(locks: FileLocks) {
    this.#locks = locks;
  }

  /** `path`: the database. Returns the descriptor of its wal-index, which stays this object's. */
  async join(id: number, path: string): Promise<number> {
    const database = await open(path, 'r');
    let shm: FileHandle | undefined;
    try {
      // Locks that exclude others need a descriptor that may write.
      shm = await open(`${path}-shm`, 'r+');
      await this.#lockShared(database.fd, SHARED_FIRST, SHARED_SIZE);
      await this.#lockShared(shm.fd, WAL_DMS_LOCK, 1);
      if (this.#hasEnded) throw inUse('the mount is being taken down');
      this.#held.set(id, { database, shm });
      return shm.fd;
    } catch (error) {
      await shm?.close();
      await database.close();
      throw error;
    }
  }

  /** The first bytes of a wal-index as its clients have them in memory. */
  async readIndex(id: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await this.#held.get(id)!.shm.read(bytes, 0, length, 0);
    if (bytesRead < length) throw new Error(`A wal-index ends after ${bytesRead} bytes`);
    return bytes;
  }

  async leave(id: number): Promise<void> {
    const files = this.#held.get(id);
    this.#held.delete(id);
    if (files !== undefined) await close(files);
  }

  /** Before the mount is taken down, which open files would prevent. */
  async leaveAll(): Promise<void> {
    this.#hasEnded = true;
    for (const id of this.#held.keys()) await this.leave(id);
  }

  async #lockShared(fd: number, start: number, length: number): Promise<void> {
    const deadlineMs = performance.now() + TIMEOUT_MS;
    while (!this.#locks.tryLockRange(fd, 'shared', start, length)) {
      const isLate = performance.now() > deadlineMs;
      if (isLate || this.#hasEnded) throw inUse('somebody has it for himself');
      await sleep(RETRY_MS);
    }
  }
}

/** Of a mount that is gone the kernel reports errors, but closes all the same. */
async function close({ database, shm }: PresenceFiles): Promise<void> {
  await Promise.allSettled([shm.close(), database.close()]);
}

function inUse(why: string): EngineError {
  return new EngineError('DATABASE_IN_USE', `Cannot take part in the locks of a database: ${why}`);
}
