// Files that the kernel reads and writes by itself (passthrough), and the ids under which it knows
// them. A registration is kept for the next open: a journal in DELETE mode is another node in every
// transaction, but the file behind it is the same.

import type { DiskFile } from '@skein/host';
import { registerBackingFile, unregisterBackingFile } from '@skein/fuse';

/** A registration keeps the file's space on the disk, so not many are kept without need. */
const KEPT_MAX = 64;

export class BackingIds {
  readonly #deviceFd: number;
  /** Oldest use first. */
  readonly #ids = new Map<DiskFile, number>();

  constructor(deviceFd: number) {
    this.#deviceFd = deviceFd;
  }

  idOf(file: DiskFile): number {
    const known = this.#ids.get(file);
    if (known !== undefined) {
      this.#ids.delete(file);
      this.#ids.set(file, known);
      return known;
    }
    const id = registerBackingFile(this.#deviceFd, file.fd!);
    this.#ids.set(file, id);
    if (this.#ids.size > KEPT_MAX) this.#dropOldest();
    return id;
  }

  /** What is open goes on without its registration. */
  #dropOldest(): void {
    const [file, id] = this.#ids.entries().next().value!;
    this.#ids.delete(file);
    unregisterBackingFile(this.#deviceFd, id);
  }
}
