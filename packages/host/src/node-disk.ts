// The real disk, by Node's synchronous calls. They block the thread, which is what the engine wants
// of them; what may take long goes through NodeBackgroundIo.

import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

import { assert } from '@skein/bytes';

import type { Disk, DiskFile, DiskStat, OpenMode } from './disk.ts';
import { checkSize, checkTransfer } from './disk-range.ts';
import { DiskError, systemErrorCode, toDiskError } from './errors.ts';

const { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } = constants;

const OPEN_FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  update: O_RDWR,
  'open-or-create': O_RDWR | O_CREAT,
  create: O_RDWR | O_CREAT | O_TRUNC,
};

/** The data folder holds copies of every database: nobody but its owner reads it. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Zeros are written in pieces of this size. */
const FILL_PIECE_BYTES = 1024 * 1024;

export const nodeDisk: Disk = {
  open: (op, path, mode) =>
    attempt(op, path, () => {
      const fd = openSync(path, OPEN_FLAGS[mode], FILE_MODE);
      if (mode === 'read') refuseDirectory(op, path, fd);
      return new NodeFile(path, fd);
    }),

  rename: (op, from, to) => attempt(op, from, () => renameSync(from, to)),

  remove: (op, path) =>
    attempt(op, path, () => {
      // Most files that are removed exist, so a look beforehand would only cost a call.
      try {
        unlinkSync(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }),

  removeDirectory: (op, path) =>
    attempt(op, path, () => {
      const stat = maybeStat(path);
      if (stat === undefined) return;
      if (!stat.isDirectory()) throw new DiskError(op, path, 'ENOTDIR');
      rmSync(path, { recursive: true, force: true });
    }),

  makeDirectory: (op, path) =>
    attempt(op, path, () => {
      mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
    }),

  list: (op, path) => attempt(op, path, () => readdirSync(path).sort()),

  stat: (op, path) =>
    attempt(op, path, () => {
      const stat = maybeStat(path);
      return stat && toDiskStat(stat);
    }),

  syncDirectory: (op, path) =>
    attempt(op, path, () => {
      const fd = openSync(path, constants.O_DIRECTORY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    }),

  space: (op, path) =>
    attempt(op, path, () => {
      const { blocks, bavail, bsize } = statfsSync(path);
      return { totalBytes: blocks * bsize, availableBytes: bavail * bsize };
    }),
};

export class NodeFile implements DiskFile {
  readonly path: string;
  readonly fd: number;
  #isOpen = true;
  #jobCount = 0;

  constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
  }

  read(op: string, into: Uint8Array, offset: number, length: number, position: number): number {
    checkTransfer(into, offset, length, position);
    this.#assertOpen();
    try {
      let done = 0;
      while (done < length) {
        const count = readSync(this.fd, into, offset + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    } catch (error) {
      throw toDiskError(op, this.path, error);
    }
  }

  write(op: string, from: Uint8Array, offset: number, length: number, position: number): void {
    checkTransfer(from, offset, length, position);
    this.#assertOpen();
    try {
      writeFully(this.fd, from, { offset, length, position });
    } catch (error) {
      throw toDiskError(op, this.path, error);
    }
  }

  truncate(op: string, sizeBytes: number): void {
    checkSize(sizeBytes);
    this.#assertOpen();
    attempt(op, this.path, () => ftruncateSync(this.fd, sizeBytes));
  }

  size(op: string): number {
    this.#assertOpen();
    return attempt(op, this.path, () => fstatSync(this.fd).size);
  }

  sync(op: string): void {
    this.#assertOpen();
    attempt(op, this.path, () => fdatasyncSync(this.fd));
  }

  close(): void {
    this.#assertOpen();
    assert(this.#jobCount === 0, 'A disk file was closed while background jobs use it');
    // The kernel may have given the number to another file before a failed close is reported.
    this.#isOpen = false;
    attempt('close', this.path, () => closeSync(this.fd));
  }

  /** A job of BackgroundIo uses the descriptor until `endJob`. */
  beginJob(): void {
    this.#assertOpen();
    this.#jobCount += 1;
  }

  endJob(): void {
    this.#jobCount -= 1;
  }

  /**
   * A closed descriptor's number soon belongs to another file, which a late write would destroy.
   */
  #assertOpen(): void {
    assert(this.#isOpen, 'A disk file was used after it was closed');
  }
}

/**
 * Writes zeros for real: space from fallocate is marked as unwritten, and then every later
 * fdatasync has to commit that mark in the file system's journal.
 */
export function fillWithZeros(fd: number, from: number, to: number): void {
  const zeros = new Uint8Array(Math.min(FILL_PIECE_BYTES, Math.max(0, to - from)));
  for (let position = from; position < to; position += zeros.length) {
    const length = Math.min(zeros.length, to - position);
    writeFully(fd, zeros, { offset: 0, length, position });
  }
}

function writeFully(
  fd: number,
  from: Uint8Array,
  range: { readonly offset: number; readonly length: number; readonly position: number },
): void {
  const { offset, length, position } = range;
  // The kernel writes less than asked when the disk fills up; the next call reports it.
  for (let done = 0; done < length;) {
    done += writeSync(fd, from, offset + done, length - done, position + done);
  }
}

function attempt<T>(op: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toDiskError(op, path, error);
  }
}

function refuseDirectory(op: string, path: string, fd: number): void {
  if (!fstatSync(fd).isDirectory()) return;
  closeSync(fd);
  throw new DiskError(op, path, 'EISDIR');
}

/** Undefined also where a part before the last is missing or is a file. */
function maybeStat(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function toDiskStat(stat: Stats): DiskStat {
  return {
    sizeBytes: stat.size,
    isDirectory: stat.isDirectory(),
    modifiedMs: stat.mtimeMs,
  };
}

function isMissing(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
