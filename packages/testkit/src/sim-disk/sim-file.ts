// An open file of the simulated disk.

import assert from 'node:assert/strict';

import { checkSize, checkTransfer, DiskError, type DiskFile } from '@skein/host';

import type { Fate } from './fate.ts';
import type { Operation, OperationKind } from './faults.ts';
import type { SimContent } from './sim-content.ts';
import { BLOCK_SIZE_BYTES } from './sparse-bytes.ts';

/** What an operation does, and what of it has happened when it fails early. */
export interface Steps<T> {
  readonly act: () => T;
  readonly failBefore?: () => void;
  readonly failMidway?: () => void;
}

/** The side of the disk that its open files see. */
export interface DiskInside {
  perform<T>(operation: Operation, steps: Steps<T>): T;
  /** The number of a new change. */
  takeSeq(): number;
  peekSeq(): number;
  nowMs(): number;
  failedSyncFate(when: 'before' | 'midway'): Fate;
  countFreeBlocks(): number;
  onClose(file: SimFile): void;
}

export class SimFile implements DiskFile {
  readonly path: string;
  readonly fd: undefined = undefined;
  readonly content: SimContent;
  readonly #disk: DiskInside;
  readonly #isWritable: boolean;
  #isOpen = true;
  #jobCount = 0;

  constructor(
    disk: DiskInside,
    file: { readonly content: SimContent; readonly path: string; readonly isWritable: boolean },
  ) {
    this.#disk = disk;
    this.content = file.content;
    this.path = file.path;
    this.#isWritable = file.isWritable;
  }

  read(op: string, into: Uint8Array, offset: number, length: number, position: number): number {
    checkTransfer(into, offset, length, position);
    return this.#perform('read', op, () =>
      this.content.visible.read(into, offset, length, position),
    );
  }

  write(op: string, from: Uint8Array, offset: number, length: number, position: number): void {
    checkTransfer(from, offset, length, position);
    // The caller may reuse its buffer; the list of un-synced writes must not notice.
    const bytes = from.slice(offset, offset + length);
    this.#write(op, bytes, position);
  }

  /** Writes zeros as `write` does, without holding them in memory. */
  writeZeros(op: string, length: number, position: number): void {
    this.#write(op, length, position);
  }

  truncate(op: string, sizeBytes: number): void {
    checkSize(sizeBytes);
    this.#perform('truncate', op, () => {
      this.#assertWritable(op);
      this.content.resize(this.#disk.takeSeq(), sizeBytes);
      this.content.modifiedMs = this.#disk.nowMs();
    });
  }

  size(op: string): number {
    return this.#perform('size', op, () => this.content.visible.size);
  }

  sync(op: string): void {
    this.#syncBefore(op, this.#disk.peekSeq());
  }

  close(): void {
    this.#perform('close', 'close', () => {
      assert(this.#jobCount === 0, `Closed with background jobs under way: ${this.path}`);
      this.#isOpen = false;
      this.#disk.onClose(this);
    });
  }

  /**
   * Counts a job of BackgroundIo. `sync` then covers what was written before this moment and no
   * more, as little as the real one promises; `end` is called before the job is reported.
   */
  startJob(op: string): { sync: () => void; end: () => void } {
    return this.#perform('request', op, () => {
      this.#jobCount += 1;
      const seq = this.#disk.peekSeq();
      return {
        sync: () => this.#syncBefore(op, seq),
        end: () => {
          this.#jobCount -= 1;
        },
      };
    });
  }

  #syncBefore(op: string, seq: number): void {
    const fail = (when: 'before' | 'midway'): void =>
      this.content.failSync(seq, this.#disk.failedSyncFate(when));
    this.#perform('sync', op, () => this.content.sync(seq), {
      failBefore: () => fail('before'),
      failMidway: () => fail('midway'),
    });
  }

  #write(op: string, bytes: Uint8Array | number, position: number): void {
    const length = typeof bytes === 'number' ? bytes : bytes.length;
    const act = (): void => {
      this.#assertWritable(op);
      const fitting = this.#countFitting(position, length);
      this.#writePart(bytes, fitting, position);
      if (fitting < length) throw new DiskError(op, this.path, 'ENOSPC');
    };
    this.#perform('write', op, act, {
      failMidway: () => this.#writePart(bytes, Math.floor(length / 2), position),
    });
  }

  #writePart(bytes: Uint8Array | number, length: number, position: number): void {
    if (length === 0) return;
    const part = typeof bytes === 'number' ? length : bytes.subarray(0, length);
    this.content.write(this.#disk.takeSeq(), part, position);
    this.content.modifiedMs = this.#disk.nowMs();
  }

  /** How many of `length` bytes at `position` the disk has room for. */
  #countFitting(position: number, length: number): number {
    const missing = this.content.visible.countMissingBlocks(position, length);
    let free = missing === 0 ? 0 : this.#disk.countFreeBlocks();
    if (missing <= free) return length;
    // The write goes on until the first block that cannot be had.
    let end = position - (position % BLOCK_SIZE_BYTES);
    for (;;) {
      free -= this.content.visible.countMissingBlocks(end, BLOCK_SIZE_BYTES);
      if (free < 0) return Math.max(0, end - position);
      end += BLOCK_SIZE_BYTES;
    }
  }

  #assertWritable(op: string): void {
    if (!this.#isWritable) throw new DiskError(op, this.path, 'EBADF');
  }

  #perform<T>(
    kind: OperationKind,
    op: string,
    act: () => T,
    failing: Omit<Steps<T>, 'act'> = {},
  ): T {
    assert(this.#isOpen, `Used after close: ${this.path}`);
    return this.#disk.perform({ kind, op, path: this.path }, { act, ...failing });
  }
}
