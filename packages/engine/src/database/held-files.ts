// Files that must stay open for a while though their owner needs them no more: a sync of them is
// under way on another thread, which knows them by a descriptor that would belong to another file;
// clients read them on that have them open.

import type { DiskFile } from '@skein/host';

export class HeldFiles {
  /** How often each is held. */
  readonly #held = new Map<DiskFile, number>();
  readonly #toClose = new Set<DiskFile>();

  hold(file: DiskFile): void {
    this.#held.set(file, (this.#held.get(file) ?? 0) + 1);
  }

  release(file: DiskFile): void {
    const count = this.#held.get(file)! - 1;
    if (count > 0) return void this.#held.set(file, count);
    this.#held.delete(file);
    if (this.#toClose.delete(file)) file.close();
  }

  /** Closes a file, now or when it is released. */
  close(file: DiskFile): void {
    if (this.#held.has(file)) this.#toClose.add(file);
    else file.close();
  }
}
