// A file of the mount that is bytes and nothing else: what SQLite or a program that copies puts
// there for a while. Never synced, gone after a crash.

import type { Disk, DiskFile } from '@skein/host';

import type { MountFile } from './mount-file.ts';
import { OpenScratch } from './open-scratch.ts';

export class ScratchFile implements MountFile {
  readonly backing: undefined;
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly file: DiskFile;
  readonly #scratch: OpenScratch;

  constructor(disk: Disk, path: string) {
    this.file = disk.open('scratch.create', path, 'create');
    this.#scratch = new OpenScratch(disk, this.file);
  }

  get sizeBytes(): number {
    return this.file.size('scratch.size');
  }

  opened(): void {
    this.#scratch.opened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.file.read('scratch.read', into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): undefined {
    this.file.write('scratch.write', from, offset, length, position);
    return undefined;
  }

  truncate(sizeBytes: number): undefined {
    this.file.truncate('scratch.truncate', sizeBytes);
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

  /** Nobody uses it any more. */
  close(): void {
    this.#scratch.close();
  }
}
