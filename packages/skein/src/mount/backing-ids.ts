// Files that the kernel reads and writes by itself (passthrough), and the ids under which it knows
// them. A registration is kept for the next open: a journal in DELETE mode is another node in every
// transaction, but the file behind it is the same.
//
// Invariant: what a client has open is registered. All handles of a node are opened with one id,
// so the second may come long after the first.

import type { DiskFile } from '@skein/host';
import { registerBackingFile, unregisterBackingFile } from '@skein/fuse';

/** A registration keeps the file's space on the disk, so not many are kept without need. */
const UNUSED_MAX = 64;

export class BackingIds {
  readonly #deviceFd: number;
  readonly #used = new Map<number, DiskFile>();
  /** Oldest use first. */
  readonly #unused = new Map<DiskFile, number>();

  constructor(deviceFd: number) {
    this.#deviceFd = deviceFd;
  }

  /** The id of a file that nobody has open yet, until it is given back. */
  take(file: DiskFile): number {
    const id = this.#unused.get(file) ?? registerBackingFile(this.#deviceFd, file.fd!);
    this.#unused.delete(file);
    this.#used.set(id, file);
    return id;
  }

  /** Nobody has the file open any more. */
  giveBack(id: number): void {
    this.#unused.set(this.#used.get(id)!, id);
    this.#used.delete(id);
    if (this.#unused.size > UNUSED_MAX) this.#dropOldest();
  }

  #dropOldest(): void {
    const [file, id] = this.#unused.entries().next().value!;
    this.#unused.delete(file);
    unregisterBackingFile(this.#deviceFd, id);
  }
}
