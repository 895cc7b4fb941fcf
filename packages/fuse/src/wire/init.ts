// INIT: what the kernel offers, what we want, and what comes of it. Pure; the device loop answers.
//
// A flag is in force when the kernel offered it and the reply names it. Two things are left to the
// kernel unless asked for: POSIX_LOCKS and FLOCK_LOCKS, without which it keeps the locks itself and
// a lock costs no request; and ATOMIC_O_TRUNC, with which it forgets a file's size at an open with
// O_TRUNC before the daemon has said anything: who has the file mapped then gets SIGBUS.

import { assert } from '@skein/bytes';

import { FuseProtocolError } from '../errors.ts';
import type { InitRequest } from './requests/connection.ts';
import { OUT_HEADER_BYTES } from './structs.ts';

const MAJOR = 7;
/** The newest minor version that this package speaks. */
export const MINOR_MAX = 45;
/** Linux 5.4. Older kernels expect shorter structs in several replies. */
const MINOR_MIN = 31;

/** FUSE_* flags of INIT: the number of the bit. Wire numbers: cannot change. */
export const INIT_FLAG = {
  ASYNC_READ: 0,
  POSIX_LOCKS: 1,
  ATOMIC_O_TRUNC: 3,
  EXPORT_SUPPORT: 4,
  BIG_WRITES: 5,
  DONT_MASK: 6,
  FLOCK_LOCKS: 10,
  AUTO_INVAL_DATA: 12,
  DO_READDIRPLUS: 13,
  READDIRPLUS_AUTO: 14,
  ASYNC_DIO: 15,
  WRITEBACK_CACHE: 16,
  NO_OPEN_SUPPORT: 17,
  PARALLEL_DIROPS: 18,
  HANDLE_KILLPRIV: 19,
  POSIX_ACL: 20,
  ABORT_ERROR: 21,
  MAX_PAGES: 22,
  CACHE_SYMLINKS: 23,
  NO_OPENDIR_SUPPORT: 24,
  EXPLICIT_INVAL_DATA: 25,
  HANDLE_KILLPRIV_V2: 28,
  INIT_EXT: 30,
  HAS_EXPIRE_ONLY: 35,
  DIRECT_IO_ALLOW_MMAP: 36,
  PASSTHROUGH: 37,
  NO_EXPORT_SUPPORT: 38,
} as const;

export type InitFlag = keyof typeof INIT_FLAG;

export interface InitOptions {
  /**
   * Asked for where the kernel offers it. INIT_EXT and MAX_PAGES need not be named: they are always
   * asked for. Default: DEFAULT_INIT_FLAGS.
   */
  readonly flags?: readonly InitFlag[];
  /** The longest WRITE and READ in bytes. Default and limit of most kernels: 1 MiB. */
  readonly maxWriteBytes?: number;
  /** How far the kernel may read ahead, if less than it would; trySetReadahead() can raise it. */
  readonly maxReadaheadBytes?: number;
  /** Requests that may be under way on nobody's behalf (readahead). Default: 64. */
  readonly maxBackground?: number;
}

export const DEFAULT_INIT_FLAGS: readonly InitFlag[] = [
  'ASYNC_READ',
  'BIG_WRITES',
  'PARALLEL_DIROPS',
];

const DEFAULT_MAX_WRITE_BYTES = 1 << 20;
const DEFAULT_MAX_BACKGROUND = 64;
const PAGE_BYTES = 4096;
const MAX_PAGES_LIMIT = 256;

/** What the connection speaks from now on. */
export interface Negotiated {
  readonly minor: number;
  /** What the kernel offered, whether or not it was wanted. */
  readonly offered: ReadonlySet<InitFlag>;
  readonly flags: ReadonlySet<InitFlag>;
  readonly maxWriteBytes: number;
  readonly maxReadaheadBytes: number;
  readonly maxBackground: number;
}

export function maxWriteBytes(options: InitOptions): number {
  const bytes = options.maxWriteBytes ?? DEFAULT_MAX_WRITE_BYTES;
  assert(bytes >= PAGE_BYTES, 'Asks for writes shorter than a page');
  return bytes;
}

/** Answers the kernel's offer. Throws FUSE_KERNEL_TOO_OLD for a protocol before 7.31. */
export function negotiate(request: InitRequest, options: InitOptions): Negotiated {
  const { major, minor } = request;
  if (major < MAJOR || (major === MAJOR && minor < MINOR_MIN)) {
    throw new FuseProtocolError(
      'FUSE_KERNEL_TOO_OLD',
      `Kernel protocol ${major}.${minor}, expected at least ${MAJOR}.${MINOR_MIN} (Linux 5.4)`,
    );
  }
  const offered = new Set<InitFlag>();
  for (const [name, bit] of Object.entries(INIT_FLAG)) {
    const word = bit < 32 ? request.flags : request.flags2;
    if (((word >>> (bit & 31)) & 1) === 1) offered.add(name as InitFlag);
  }
  const wanted = new Set<InitFlag>(options.flags ?? DEFAULT_INIT_FLAGS);
  wanted.add('INIT_EXT').add('MAX_PAGES');
  return {
    minor: Math.min(minor, MINOR_MAX),
    offered,
    flags: wanted.intersection(offered),
    maxWriteBytes: maxWriteBytes(options),
    maxReadaheadBytes: Math.min(
      request.maxReadahead,
      options.maxReadaheadBytes ?? request.maxReadahead,
    ),
    maxBackground: options.maxBackground ?? DEFAULT_MAX_BACKGROUND,
  };
}

export const INIT_OUT_BYTES = 64;

/**
 *   struct fuse_init_out, 64 bytes
 *    0 u32 major
 *    4 u32 minor
 *    8 u32 max_readahead
 *   12 u32 flags
 *   16 u16 max_background
 *   18 u16 congestion_threshold   from how many background requests on readahead pauses
 *   20 u32 max_write
 *   24 u32 time_gran              nanoseconds between two times that differ
 *   28 u16 max_pages              with MAX_PAGES
 *   30 u16 map_alignment
 *   32 u32 flags2                 with INIT_EXT
 *   36 u32 max_stack_depth        with PASSTHROUGH: how many stacked file systems may lie below
 *   40 u16 request_timeout        with REQUEST_TIMEOUT
 *   42 u16 unused[11]
 */
export function encodeInitOut(view: DataView, bytes: Uint8Array, negotiated: Negotiated): void {
  const at = OUT_HEADER_BYTES;
  bytes.fill(0, at, at + INIT_OUT_BYTES);
  let flags = 0;
  let flags2 = 0;
  for (const name of negotiated.flags) {
    const bit = INIT_FLAG[name];
    if (bit < 32) flags |= 1 << bit;
    else flags2 |= 1 << (bit - 32);
  }
  view.setUint32(at, MAJOR, true);
  view.setUint32(at + 4, negotiated.minor, true);
  view.setUint32(at + 8, negotiated.maxReadaheadBytes, true);
  view.setUint32(at + 12, flags, true);
  view.setUint16(at + 16, negotiated.maxBackground, true);
  view.setUint16(at + 18, Math.ceil(negotiated.maxBackground * 0.75), true);
  view.setUint32(at + 20, negotiated.maxWriteBytes, true);
  view.setUint32(at + 24, 1, true);
  const pages = Math.ceil(negotiated.maxWriteBytes / PAGE_BYTES);
  view.setUint16(at + 28, Math.min(pages, MAX_PAGES_LIMIT), true);
  view.setUint32(at + 32, flags2, true);
  // The backing file may lie on any file system that does not itself lie on another one.
  view.setUint32(at + 36, negotiated.flags.has('PASSTHROUGH') ? 1 : 0, true);
}
