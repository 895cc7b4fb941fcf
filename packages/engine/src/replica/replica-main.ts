// The main file of a database on a replica, as clients see it: one of them for as long as the
// database is not dropped. Who has it open then keeps what he has.
//
// Invariant: nobody but the node writes to it.

import type { DiskFile } from '@skein/host';

import type { Database } from '../database/database.ts';
import type { MountFile } from '../files/mount-file.ts';
import { replicaReadOnly } from './refuse.ts';
import { showAsWal } from './shown-mode.ts';

export class ReplicaMain implements MountFile {
  /** The kernel would read the true bytes 18 and 19. */
  readonly backing: undefined;
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly #database: Database;
  readonly #file: DiskFile;
  #openCount = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#file = database.file;
  }

  get sizeBytes(): number {
    return this.#file.size('database.size');
  }

  opened(): void {
    if (this.#openCount++ === 0) this.#database.hold(this.#file, true);
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = this.#file.read('database.read', into, offset, length, position);
    showAsWal(into.subarray(offset, offset + count), position);
    return count;
  }

  write(): never {
    throw replicaReadOnly(this.#database.name);
  }

  truncate(): never {
    throw replicaReadOnly(this.#database.name);
  }

  sync(): undefined {
    return undefined;
  }

  flush(): undefined {
    return undefined;
  }

  release(): void {
    if (--this.#openCount === 0) this.#database.hold(this.#file, false);
  }
}
