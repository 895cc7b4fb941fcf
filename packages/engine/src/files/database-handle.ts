// The main file of a database as one client has it open for reading and writing.
//
// Usually nothing belongs to the handle: all handles are one file. But a database that has no
// transaction yet may be a file that this client copies in, page after page without a journal (a
// program that opens its target for reading and writing, or SQLite with journal_mode=OFF): that
// becomes the first transaction when the client closes it.
//
// A database that is removed while somebody has it open is empty to him.

import { EngineError } from '../errors.ts';
import type { Pending } from '../jobs/pending.ts';
import type { DatabaseFile } from './database-file.ts';
import type { MountFile } from './mount-file.ts';

export interface CopyOwner {
  readonly name: string;
  /** Another one when the database was removed. */
  readonly incarnation: number;
  /** Whether there is nothing yet but what was written without a journal. */
  readonly isCopying: boolean;
  /** Commits what was copied if it is a whole database. */
  finishCopy(): Pending | undefined;
  /** Nobody goes on with it. */
  giveUpCopy(): void;
  handleOpened(): void;
  handleReleased(): void;
}

export class DatabaseHandle implements MountFile {
  readonly backing: undefined;
  readonly bypassesCache = false;
  readonly wantsFlush: boolean;
  readonly #file: DatabaseFile;
  readonly #owner: CopyOwner;
  readonly #incarnation: number;
  #hasWritten = false;

  constructor(file: DatabaseFile, owner: CopyOwner, isNew: boolean) {
    this.#file = file;
    this.#owner = owner;
    this.#incarnation = owner.incarnation;
    this.wantsFlush = isNew;
  }

  get sizeBytes(): number {
    return this.#isRemoved ? 0 : this.#file.sizeBytes;
  }

  opened(): void {
    this.#owner.handleOpened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#isRemoved ? 0 : this.#file.read(into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): undefined {
    this.#assertThere();
    this.#hasWritten = true;
    return this.#file.write(from, offset, length, position);
  }

  truncate(sizeBytes: number): undefined {
    this.#assertThere();
    return this.#file.truncate(sizeBytes);
  }

  sync(): undefined {
    return this.#file.sync();
  }

  flush(): Pending | undefined {
    return this.#isCopying ? this.#owner.finishCopy() : undefined;
  }

  release(): void {
    try {
      if (this.#isCopying) this.#owner.giveUpCopy();
    } finally {
      this.#owner.handleReleased();
    }
  }

  get #isCopying(): boolean {
    return this.#hasWritten && !this.#isRemoved && this.#owner.isCopying;
  }

  /** Whether the database was removed since: what has its name now is another one. */
  get #isRemoved(): boolean {
    return this.#owner.incarnation !== this.#incarnation;
  }

  #assertThere(): void {
    if (!this.#isRemoved) return;
    throw new EngineError(
      'DATABASE_NOT_FOUND',
      `Cannot write to ${this.#owner.name}: it was removed since it was opened`,
    );
  }
}
