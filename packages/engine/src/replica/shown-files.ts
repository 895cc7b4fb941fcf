// The files of a database on a replica's mount, for as long as it is not dropped: always the main
// file, a WAL and a wal-index, since a client that finds no WAL would want to make one.
//
// They are the WAL's newest state from the first moment on: the database file is whole when they
// are made, the WAL is empty.

import type { EngineContext } from '../context.ts';
import { discardScratch } from '../data-folder/discard-scratch.ts';
import type { Database } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import { isDiskFailure } from '../errors.ts';
import { ReplicaIndex } from './replica-index.ts';
import { ReplicaMain } from './replica-main.ts';
import { ReplicaShm } from './replica-shm.ts';
import { ReplicaWal } from './replica-wal.ts';

/** What the names of a database end in. */
const SUFFIXES = ['', '-pos', '-wal', '-shm'];

export class ShownFiles {
  readonly main: ReplicaMain;
  readonly wal: ReplicaWal;
  readonly shm: ReplicaShm;
  readonly index: ReplicaIndex;
  readonly #context: EngineContext;
  readonly #database: Database;

  /** Throws DiskError, and has changed nothing then. */
  constructor(context: EngineContext, database: Database, state: DatabaseState) {
    this.#context = context;
    this.#database = database;
    const { disk, scratchPath } = context;
    const wal = disk.open('wal.create', scratchPath('wal'), 'create');
    try {
      const shm = disk.open('shm.create', scratchPath('shm'), 'create');
      this.shm = new ReplicaShm(context, shm);
    } catch (error) {
      discardScratch(disk, wal);
      throw error;
    }
    this.main = new ReplicaMain(database);
    this.wal = new ReplicaWal({ context, database, file: wal, state });
    this.index = new ReplicaIndex(context, `${database.name}-shm`, this.shm);
    database.newerPages = this.wal;
  }

  /** The kernel may remember that there were no such names. */
  announce(): void {
    for (const suffix of SUFFIXES) this.#context.kernel.forgetName(this.#database.name + suffix);
  }

  /** The names vanish; the database file goes too. */
  remove(): void {
    this.#database.newerPages = undefined;
    this.wal.unlink();
    this.shm.unlink();
    for (const suffix of SUFFIXES) this.#context.kernel.removed(this.#database.name + suffix);
  }

  /** Nobody uses the mount any more. What is only in the WAL goes into the database file. */
  close(): void {
    const { log } = this.#context;
    try {
      this.#completeFile();
    } catch (error) {
      if (!isDiskFailure(error)) throw error;
      const fields = { name: this.#database.name, error: error.message };
      log.warn('Cannot copy a WAL into its database', fields);
    }
    this.wal.close();
    this.shm.close();
  }

  #completeFile(): void {
    const { committed, state } = this.wal;
    const { frames, header } = committed;
    if (frames.isBackfilled) return;
    const page = new Uint8Array(header.pageSize);
    for (const { pgno, frame } of frames.pending()) {
      this.wal.readFrame(frame, page);
      this.#database.file.write('database.write', page, 0, page.length, (pgno - 1) * page.length);
      frames.markDone(frame);
    }
    const sizeBytes = state.pageCount * header.pageSize;
    if (this.#database.fileSize !== sizeBytes) this.#database.truncateFile(sizeBytes);
  }
}
