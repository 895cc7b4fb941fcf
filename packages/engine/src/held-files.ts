// Files that must stay open for a while though nobody needs them any more: a sync of them is under
// way on another thread, which knows them by a descriptor that would belong to another file.

import type { DiskFile } from '@skein/host';

export class HeldFiles {
  readonly #held = new Set<DiskFile>();
  readonly #toClose = new Set<DiskFile>();

  hold(file: DiskFile): void {
    this.#held.add(file);
  }

  release(file: DiskFile): void {
    this.#held.delete(file);
    if (this.#toClose.delete(file)) file.close();
  }

  /** Closes a file, now or when it is released. */
  close(file: DiskFile): void {
    if (this.#held.has(file)) this.#toClose.add(file);
    else file.close();
  }
}
