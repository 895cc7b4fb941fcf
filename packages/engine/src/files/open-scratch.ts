// A scratch file behind a file of the mount, for as long as anybody can reach it: by its name, or
// because he has it open. As on any file system, a file lives on without a name until it is closed;
// SQLite removes a wal-index that it still has mapped.

import type { Disk, DiskFile } from '@skein/host';

import { discardScratch } from '../data-folder/discard-scratch.ts';

export class OpenScratch {
  readonly file: DiskFile;
  readonly #disk: Disk;
  #openCount = 0;
  #hasName = true;
  #isClosed = false;

  constructor(disk: Disk, file: DiskFile) {
    this.#disk = disk;
    this.file = file;
  }

  /** Whether a client has it open. */
  get isOpen(): boolean {
    return this.#openCount > 0;
  }

  get hasName(): boolean {
    return this.#hasName;
  }

  opened(): void {
    this.#openCount++;
  }

  released(): void {
    this.#openCount--;
    this.#closeIfUnused();
  }

  /** Its name on the mount is gone. */
  unlink(): void {
    this.#hasName = false;
    this.#closeIfUnused();
  }

  /** Nobody uses the mount any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    discardScratch(this.#disk, this.file);
  }

  #closeIfUnused(): void {
    if (this.#openCount <= 0 && !this.#hasName) this.close();
  }
}
