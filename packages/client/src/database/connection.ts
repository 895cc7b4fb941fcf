// One opened handle of a database: for writing on a primary, for reading elsewhere.
//
// Invariant: it is closed when it has been replaced and nobody reads from it any more.

import type { NativeDatabase } from '../drivers/driver.ts';

export interface ConnectionOptions {
  readonly native: NativeDatabase;
  readonly isReadonly: boolean;
  /** Of the node, when it was opened. */
  readonly generation: number;
}

export class Connection {
  readonly native: NativeDatabase;
  readonly isReadonly: boolean;
  readonly generation: number;
  #readerCount = 0;
  #isRetired = false;

  constructor({ native, isReadonly, generation }: ConnectionOptions) {
    this.native = native;
    this.isReadonly = isReadonly;
    this.generation = generation;
  }

  /** Rows are being read one by one: the handle stays until the returned function is called. */
  hold(): () => void {
    this.#readerCount += 1;
    return () => {
      this.#readerCount -= 1;
      this.#closeIfUnused();
    };
  }

  /** It is not used for anything new. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (!this.#isRetired || this.#readerCount > 0) return;
    this.native.close();
  }
}
