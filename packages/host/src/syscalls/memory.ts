// Memory of the process: files mapped into it, and what the C library keeps of it.

import { assert } from '@skein/bytes';

import {
  checkResult,
  lastErrno,
  libcFunction,
  maybeLibcFunction,
  memoryAt,
  syscallError,
} from './libc.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

export interface MappedFile {
  /** The file's own pages, shared with every process that maps it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Ends the mapping; `bytes` and all views of its buffer have length 0 from then on. */
  unmap(): void;
}

const libcMmap = libcFunction<
  (address: bigint, length: number, ...rest: [number, number, number, number]) => number | bigint
>('uintptr_t mmap(uintptr_t at, size_t length, int protection, int flags, int fd, int64_t offset)');
const libcMunmap = libcFunction<(address: bigint, length: number) => number>(
  'int munmap(uintptr_t address, size_t length)',
);

const libcMallocTrim = maybeLibcFunction<(keptBytes: number) => number>(
  'int malloc_trim(size_t kept)',
);

/**
 * Maps `length` bytes of a file from `offset`, a multiple of the page size, to read and write. The
 * file must be that long: touching a page past its end kills the process (SIGBUS).
 */
export function mapFile(fd: number, length: number, offset = 0): MappedFile {
  assert(length > 0, 'Maps nothing');
  const result = libcMmap(0n, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
  // koffi gives a number where one is exact, else a bigint.
  const address = BigInt(result);
  if (address === MAP_FAILED) throw syscallError('mmap', lastErrno());
  const bytes = new Uint8Array(memoryAt(address, length));
  return {
    bytes,
    unmap: () => {
      // Detached first: a read through a forgotten view is then an error and not a crash.
      bytes.buffer.transfer(0);
      checkResult('munmap', libcMunmap(address, length));
    },
  };
}

/**
 * Gives memory back to the system that was freed in this process but kept by the C library. Takes
 * some milliseconds. Does nothing where the library has no such call (musl).
 */
export function trimMemory(): void {
  libcMallocTrim?.(0);
}
