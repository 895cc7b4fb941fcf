// A file under survey. What the disk cannot read counts as zeros, so that it shows as the damage
// that it is: the checksum over it fails, and whatever that checksum belongs to is named.

import { type Disk, DiskError, type DiskFile } from '@skein/host';

import type { CheckProgress } from './finding.ts';

/** A disk fails in pieces of this size; what can be read around one is read. */
const PIECE_BYTES = 4096;

const REPORT_BYTES = 4 * 1024 * 1024;

/** Counts what was read, and tells now and then. */
export class SurveyProgress {
  readonly #report: ((progress: CheckProgress) => void) | undefined;
  #doneBytes = 0;
  #totalBytes = 0;
  #reportedBytes = -REPORT_BYTES;

  constructor(report: ((progress: CheckProgress) => void) | undefined) {
    this.#report = report;
  }

  get doneBytes(): number {
    return this.#doneBytes;
  }

  expect(bytes: number): void {
    this.#totalBytes += bytes;
  }

  read(bytes: number): void {
    this.#doneBytes += bytes;
    if (this.#doneBytes < this.#reportedBytes + REPORT_BYTES) return;
    this.#tell();
  }

  end(): void {
    this.#totalBytes = this.#doneBytes;
    this.#tell();
  }

  #tell(): void {
    this.#reportedBytes = this.#doneBytes;
    // What is read twice must not show as more than everything.
    const totalBytes = Math.max(this.#totalBytes, this.#doneBytes);
    this.#report?.({ doneBytes: this.#doneBytes, totalBytes });
  }
}

export class SurveyFile {
  readonly #file: DiskFile;
  readonly #progress: SurveyProgress;
  #unreadableBytes = 0;

  constructor(disk: Disk, path: string, progress: SurveyProgress) {
    this.#file = disk.open('check.open', path, 'read');
    this.#progress = progress;
  }

  /** What the disk could not read so far. */
  get unreadableBytes(): number {
    return this.#unreadableBytes;
  }

  size(op: string): number {
    return this.#file.size(op);
  }

  /** As DiskFile.read. */
  read(op: string, into: Uint8Array, offset: number, length: number, position: number): number {
    const count = this.#readWhole(op, into.subarray(offset, offset + length), position);
    this.#progress.read(count);
    return count;
  }

  close(): void {
    this.#file.close();
  }

  #readWhole(op: string, into: Uint8Array, position: number): number {
    try {
      return this.#file.read(op, into, 0, into.length, position);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return this.#readPieces(op, into, position);
    }
  }

  #readPieces(op: string, into: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(into.length, this.size(op) - position));
    for (let at = 0; at < length;) {
      const count = Math.min(length - at, PIECE_BYTES - ((position + at) % PIECE_BYTES));
      try {
        this.#file.read(op, into, at, count, position + at);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        into.fill(0, at, at + count);
        this.#unreadableBytes += count;
      }
      at += count;
    }
    return length;
  }
}
