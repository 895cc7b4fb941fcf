// The memory set aside for uncommitted pages, shared by all databases of a node and bounded: who
// gets none goes on in a scratch file.

/** Holds one page of the largest size, sixteen of the usual one. */
export const SLAB_BYTES: number = 64 * 1024;

/** Slabs kept for the next transaction instead of being given back: 4 MiB. */
const FREE_SLABS_MAX = 64;

export class SlabPool {
  readonly #slabsMax: number;
  readonly #free: Array<Uint8Array<ArrayBuffer>> = [];
  #taken = 0;

  constructor(bytesMax: number) {
    this.#slabsMax = Math.floor(bytesMax / SLAB_BYTES);
  }

  /** A slab with anything in it, or undefined when the limit is reached. */
  tryTake(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#taken >= this.#slabsMax) return undefined;
    this.#taken++;
    return this.#free.pop() ?? new Uint8Array(SLAB_BYTES);
  }

  /** Nobody may use the slab any more. */
  give(slab: Uint8Array<ArrayBuffer>): void {
    this.#taken--;
    if (this.#free.length < FREE_SLABS_MAX) this.#free.push(slab);
    // Its memory is free now, not when the garbage collector finds it.
    else slab.buffer.transfer(0);
  }
}
