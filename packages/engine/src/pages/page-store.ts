// Pages kept aside from a database file: those that a transaction has written and not committed, a
// file that is being copied in, the old versions that a snapshot still has to read.
//
// In memory while the pool has some, past that in a scratch file: a VACUUM of a database larger
// than memory is one transaction. A page keeps its slot for as long as the store is not cleared, so
// that writing it again costs a copy and no search for room.

import type { Disk, DiskFile } from '@skein/host';

import { discardScratch } from '../data-folder/discard-scratch.ts';
import { PageMap } from './page-map.ts';
import { SLAB_BYTES, type SlabPool } from './slab-pool.ts';

export interface PageStoreOptions {
  readonly disk: Disk;
  readonly pool: SlabPool;
  /** Where pages go that do not fit in memory; created when first needed, removed by clear(). */
  readonly scratchPath: string;
}

export class PageStore {
  readonly #disk: Disk;
  readonly #pool: SlabPool;
  readonly #scratchPath: string;
  /** Slots are numbered in the order in which pages came; the first ones are in memory. */
  readonly #slots = new PageMap();
  readonly #slabs: Array<Uint8Array<ArrayBuffer>> = [];
  #pageSize = 0;
  #slotsPerSlab = 0;
  /** Slots in memory, once the pool had no more; until then the scratch file is not used. */
  #memorySlots = Number.POSITIVE_INFINITY;
  #scratch: DiskFile | undefined;

  constructor(options: PageStoreOptions) {
    this.#disk = options.disk;
    this.#pool = options.pool;
    this.#scratchPath = options.scratchPath;
  }

  /** How many pages it holds. */
  get size(): number {
    return this.#slots.size;
  }

  has(pgno: number): boolean {
    return this.#slots.has(pgno);
  }

  /**
   * Copies `pageSize` bytes of `from` at `offset` in as page `pgno`. Throws DiskError when full.
   */
  write(pgno: number, from: Uint8Array, offset: number, pageSize: number): void {
    if (pageSize !== this.#pageSize) this.#usePageSize(pageSize);
    const known = this.#slots.get(pgno);
    const slot = known === -1 ? this.#slots.size : known;
    const slab = this.#slabFor(slot);
    if (slab !== undefined) {
      slab.set(from.subarray(offset, offset + pageSize), this.#slabOffset(slot));
    } else {
      this.#scratch ??= this.#disk.open('scratch.create', this.#scratchPath, 'create');
      this.#scratch.write('scratch.write', from, offset, pageSize, this.#scratchOffset(slot));
    }
    // Only now: a write that failed leaves the store as it was.
    if (known === -1) this.#slots.set(pgno, slot);
  }

  /** Copies page `pgno` to `into` at `offset`; false when it is not here. */
  read(pgno: number, into: Uint8Array, offset: number): boolean {
    const slot = this.#slots.get(pgno);
    if (slot === -1) return false;
    if (slot >= this.#memorySlots) this.#readScratch(slot, into, offset);
    else into.set(this.#viewSlot(slot), offset);
    return true;
  }

  /**
   * The bytes of page `pgno` for as long as nothing is written or cleared: a view of memory, or,
   * when the page is in the scratch file, of `buffer`, into which it is read. Undefined when not
   * here.
   */
  view(pgno: number, buffer: Uint8Array): Uint8Array | undefined {
    const slot = this.#slots.get(pgno);
    if (slot === -1) return undefined;
    if (slot < this.#memorySlots) return this.#viewSlot(slot);
    this.#readScratch(slot, buffer, 0);
    return buffer.subarray(0, this.#pageSize);
  }

  /** The page numbers it holds, ascending. */
  pages(into?: Uint32Array): Uint32Array {
    return this.#slots.sortedPages(into);
  }

  /** Forgets every page and gives memory and scratch file back. */
  clear(): void {
    this.#slots.clear();
    for (const slab of this.#slabs) this.#pool.give(slab);
    this.#slabs.length = 0;
    this.#memorySlots = Number.POSITIVE_INFINITY;
    if (this.#scratch === undefined) return;
    const scratch = this.#scratch;
    this.#scratch = undefined;
    discardScratch(this.#disk, scratch);
  }

  #usePageSize(pageSize: number): void {
    if (this.#slots.size > 0) throw new RangeError('Cannot change the page size of a page store');
    this.#pageSize = pageSize;
    this.#slotsPerSlab = SLAB_BYTES / pageSize;
  }

  /**
   * The slab of a slot, taken from the pool if need be; undefined for a slot in the scratch file.
   */
  #slabFor(slot: number): Uint8Array<ArrayBuffer> | undefined {
    if (slot >= this.#memorySlots) return undefined;
    const index = Math.floor(slot / this.#slotsPerSlab);
    const slab = this.#slabs[index] ?? this.#pool.tryTake();
    if (slab !== undefined) this.#slabs[index] = slab;
    else this.#memorySlots = slot;
    return slab;
  }

  #slabOffset(slot: number): number {
    return (slot % this.#slotsPerSlab) * this.#pageSize;
  }

  #scratchOffset(slot: number): number {
    return (slot - this.#memorySlots) * this.#pageSize;
  }

  #viewSlot(slot: number): Uint8Array {
    const offset = this.#slabOffset(slot);
    const slab = this.#slabs[Math.floor(slot / this.#slotsPerSlab)]!;
    return slab.subarray(offset, offset + this.#pageSize);
  }

  #readScratch(slot: number, into: Uint8Array, offset: number): void {
    const position = this.#scratchOffset(slot);
    this.#scratch!.read('scratch.read', into, offset, this.#pageSize, position);
  }
}
