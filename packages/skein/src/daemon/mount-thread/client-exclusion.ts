// Keeps the clients of a database out while it is replaced, by the locks that a client of SQLite
// would take (https://sqlite.org/lockingv3.html; https://sqlite.org/walformat.html, section 2.3):
// whoever then begins a transaction finds the database busy and waits, as its busy timeout says.
//
// The locks are taken on the mount itself, so this runs on the main thread: the thread that serves
// the mount would wait for itself.

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError } from '@skein/engine';
import { nodeFileLocks } from '@skein/host';
import {
  DATABASE_HEADER_SIZE,
  decodeDatabaseHeader,
  PENDING_BYTE,
  SHARED_FIRST,
  SHARED_SIZE,
  WAL_DMS_LOCK,
  WAL_WRITE_LOCK,
} from '@skein/sqlite-file';

const RETRY_MS = 10;
/** As long as clients commonly wait for each other. */
const TIMEOUT_MS = 5_000;

type LockRange = readonly [start: number, length: number];

/** What the only writer of a rollback mode holds when it changes the file. */
const ROLLBACK_LOCKS: LockRange = [PENDING_BYTE, SHARED_FIRST + SHARED_SIZE - PENDING_BYTE];
/** All that readers, writers and checkpoints hold; not that a connection exists. */
const WAL_LOCKS: LockRange = [WAL_WRITE_LOCK, WAL_DMS_LOCK - WAL_WRITE_LOCK];

export interface ClientExclusion {
  end(): Promise<void>;
}

/** Throws DATABASE_IN_USE when a transaction does not end in time. */
export async function excludeClients(
  mountpoint: string,
  database: string,
): Promise<ClientExclusion> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  const path = join(mountpoint, database);
  const shm = await maybeOpen(`${path}-shm`);
  const main = await maybeOpen(path);
  const files = [main, shm].filter((file) => file !== undefined);
  const end = async (): Promise<void> => {
    for (const file of files) await file.close();
  };
  try {
    // With a WAL every connection holds a shared lock on the database all the time.
    const isWal = main !== undefined && shm !== undefined && (await isInWalMode(main));
    if (isWal) await lock(shm, WAL_LOCKS, deadlineMs);
    else if (main !== undefined) await lock(main, ROLLBACK_LOCKS, deadlineMs);
    return { end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function lock(
  file: FileHandle,
  [start, length]: LockRange,
  deadlineMs: number,
): Promise<void> {
  while (!nodeFileLocks.tryLockRange(file.fd, 'exclusive', start, length)) {
    if (performance.now() > deadlineMs) {
      throw new EngineError('DATABASE_IN_USE', 'Cannot replace the database: it is in use', {
        hint: 'A transaction did not end in 5 s. Try again, or close the connection that holds it',
      });
    }
    await sleep(RETRY_MS);
  }
}

/** A wal-index may be left from another time: the header of the database says what counts. */
async function isInWalMode(main: FileHandle): Promise<boolean> {
  const header = Buffer.alloc(DATABASE_HEADER_SIZE);
  const { bytesRead } = await main.read(header, 0, header.length, 0);
  // All of it may be in the WAL still.
  if (bytesRead < header.length) return true;
  return decodeDatabaseHeader(header).mode === 'wal';
}

async function maybeOpen(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new EngineError('DATABASE_IN_USE', `Cannot keep clients away from ${path}`, {
      cause: error,
      hint: 'The node has to open the database for writing, as its clients do',
    });
  }
}
