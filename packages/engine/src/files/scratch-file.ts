// A file of the mount that is bytes and nothing else: what SQLite or a program that copies puts
// there for a while. Never synced, gone after a crash.

import type { Disk, DiskFile } from '@skein/host';

import type { MountFile } from './mount-file.ts';

export class ScratchFile implements MountFile {
  readonly backing: undefined;
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly #disk: Disk;
  readonly file: DiskFile;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.file = disk.open('scratch.create', path, 'create');
  }

  get sizeBytes(): number {
    return this.file.size('scratch.size');
  }

  opened(): void {}

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

  release(): void {}

  close(): void {
    this.file.close();
    this.#disk.remove('scratch.remove', this.file.path);
  }
}
