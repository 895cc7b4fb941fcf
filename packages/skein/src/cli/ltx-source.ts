// The LTX files that a command names: files on disk, pipes, standard input.

import { closeSync, openSync, readSync } from 'node:fs';

import type { ByteSource } from '@skein/ltx';

import { FileError } from './errors.ts';

export interface LtxSource extends ByteSource {
  /** Whether there is more than so many bytes; the readers take more than they use. */
  hasMoreThan(sizeBytes: number): boolean;
  close(): void;
}

/** Reads forwards only, as a pipe does. `-` is standard input. */
export function openLtxSource(path: string): LtxSource {
  const fd = path === '-' ? 0 : openFile(path);
  let position = 0;
  const source: LtxSource = {
    read: (into, offset, length, at) => {
      if (at !== position) throw new RangeError('A pipe is read from its beginning to its end');
      const count = readAvailable(fd, path, into.subarray(offset, offset + length));
      position += count;
      return count;
    },
    hasMoreThan: (sizeBytes) =>
      position > sizeBytes || source.read(new Uint8Array(1), 0, 1, position) > 0,
    close: () => {
      if (fd !== 0) closeSync(fd);
    },
  };
  return source;
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** As readSync(), but waits where there is nothing yet. */
function readAvailable(fd: number, path: string, into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, into);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      // A terminal or a pipe that somebody made non-blocking: there is something soon.
      if (code !== 'EAGAIN') throw unreadable(path, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function unreadable(path: string, error: unknown): FileError {
  return new FileError(`Cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
}
