// Bytes of one simulated file: blocks of 4 KiB, present only where something was written, so that a
// file of many gigabytes costs what its written parts cost.
//
// A block that is present is allocated on the simulated disk even if it holds only zeros; a missing
// block is a hole and reads as zeros. Forks share their blocks and copy one before changing it.
// Invariant: bytes at and past `size` are zero, so growing a file never shows old content.

import assert from 'node:assert/strict';

export const BLOCK_SIZE_BYTES = 4096;

/** Stands for every block that was filled with zeros; owned by nobody, hence never changed. */
const ZERO_BLOCK: Uint8Array = new Uint8Array(BLOCK_SIZE_BYTES);

export class SparseBytes {
  #size = 0;
  #blocks = new Map<number, Uint8Array>();
  /** Whether `#blocks` belongs to a fork too: then it is copied before the next change. */
  #isShared = false;
  /** Numbers of the blocks that no fork shares and that may be changed in place. */
  readonly #owned = new Set<number>();

  get size(): number {
    return this.#size;
  }

  get blockCount(): number {
    return this.#blocks.size;
  }

  /** A copy that costs nothing until one of the two is changed. */
  fork(): SparseBytes {
    const fork = new SparseBytes();
    fork.#size = this.#size;
    fork.#blocks = this.#blocks;
    fork.#isShared = true;
    this.#isShared = true;
    this.#owned.clear();
    return fork;
  }

  /** How many blocks would have to be allocated to write `length` bytes at `position`. */
  countMissingBlocks(position: number, length: number): number {
    let missing = 0;
    forEachPiece(position, length, (block) => {
      if (!this.#blocks.has(block)) missing += 1;
    });
    return missing;
  }

  /** Returns how many bytes were read: fewer than `length` only at the end. */
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.#size - position));
    forEachPiece(position, count, (block, start, end, done) => {
      const bytes = this.#blocks.get(block) ?? ZERO_BLOCK;
      into.set(bytes.subarray(start, end), offset + done);
    });
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    forEachPiece(position, bytes.length, (block, start, end, done) => {
      this.#ownBlock(block).set(bytes.subarray(done, done + end - start), start);
    });
    if (bytes.length > 0) this.#size = Math.max(this.#size, position + bytes.length);
  }

  /** Writes zeros, which allocates blocks but holds no memory for whole ones. */
  writeZeros(position: number, length: number): void {
    this.#eraseRange(position, length, ZERO_BLOCK);
    if (length > 0) this.#size = Math.max(this.#size, position + length);
  }

  /** Cuts off what lies past `size`, or grows by a hole. */
  resize(size: number): void {
    if (size < this.#size) {
      this.#unshare();
      const tail = size % BLOCK_SIZE_BYTES;
      const kept = Math.ceil(size / BLOCK_SIZE_BYTES);
      if (tail > 0 && this.#blocks.has(kept - 1)) this.#ownBlock(kept - 1).fill(0, tail);
      for (const block of this.#blocks.keys()) {
        if (block >= kept) this.#deleteBlock(block);
      }
    }
    this.#size = size;
  }

  /** Takes over a range of `source`, holes included. Never changes the size. */
  copyRange(source: SparseBytes, position: number, length: number): void {
    assert(position + length <= this.#size, 'Cannot copy past the end');
    forEachPiece(position, length, (block, start, end) => {
      const bytes = source.#blocks.get(block);
      if (bytes === undefined) this.#eraseRange(block * BLOCK_SIZE_BYTES + start, end - start);
      else this.#ownBlock(block).set(bytes.subarray(start, end), start);
    });
  }

  /** Zeroes a range; whole blocks become `replacement`, or holes without one. */
  #eraseRange(position: number, length: number, replacement?: Uint8Array): void {
    forEachPiece(position, length, (block, start, end) => {
      if (end - start < BLOCK_SIZE_BYTES && this.#blocks.has(block)) {
        this.#ownBlock(block).fill(0, start, end);
        return;
      }
      this.#unshare();
      this.#deleteBlock(block);
      if (replacement !== undefined) this.#blocks.set(block, replacement);
    });
  }

  #deleteBlock(block: number): void {
    this.#blocks.delete(block);
    this.#owned.delete(block);
  }

  #unshare(): void {
    if (!this.#isShared) return;
    this.#blocks = new Map(this.#blocks);
    this.#isShared = false;
  }

  #ownBlock(block: number): Uint8Array {
    this.#unshare();
    const present = this.#blocks.get(block);
    if (present !== undefined && this.#owned.has(block)) return present;
    const copy = present === undefined ? new Uint8Array(BLOCK_SIZE_BYTES) : present.slice();
    this.#blocks.set(block, copy);
    this.#owned.add(block);
    return copy;
  }
}

/** Cuts a range at block borders: block number, range in the block, bytes that came before. */
function forEachPiece(
  position: number,
  length: number,
  visit: (block: number, start: number, end: number, done: number) => void,
): void {
  for (let done = 0; done < length;) {
    const start = (position + done) % BLOCK_SIZE_BYTES;
    const end = Math.min(BLOCK_SIZE_BYTES, start + length - done);
    visit((position + done - start) / BLOCK_SIZE_BYTES, start, end, done);
    done += end - start;
  }
}
