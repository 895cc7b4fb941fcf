// Flag words of the FUSE kernel protocol (fuse.h, 7.45) and of the open(2) flags that travel in it.
//
// A table maps the kernel's name, without its prefix, to the bit. The same tables let the trace
// show names. Wire numbers: cannot change.

export type FlagTable = Readonly<Record<string, number>>;

/** FOPEN_*: how the kernel treats a handle, said in the reply to OPEN and CREATE. */
export const FOPEN = {
  /** Reads and writes of this handle go past the page cache, each as one request. */
  DIRECT_IO: 0x01,
  /** Keeps what the page cache has of the file; without it every open throws it away. */
  KEEP_CACHE: 0x02,
  NONSEEKABLE: 0x04,
  /** Keeps the listing of a folder in the page cache. */
  CACHE_DIR: 0x08,
  STREAM: 0x10,
  /** No FLUSH when a descriptor of this handle is closed. 7.35 */
  NOFLUSH: 0x20,
  PARALLEL_DIRECT_WRITES: 0x40,
  /** The kernel reads and writes the backing file by itself. 7.40, needs a backing id. */
  PASSTHROUGH: 0x80,
} as const;

/** FATTR_*: which fields of a SETATTR request are meant. */
export const FATTR = {
  MODE: 0x001,
  UID: 0x002,
  GID: 0x004,
  SIZE: 0x008,
  ATIME: 0x010,
  MTIME: 0x020,
  FH: 0x040,
  ATIME_NOW: 0x080,
  MTIME_NOW: 0x100,
  LOCKOWNER: 0x200,
  CTIME: 0x400,
  KILL_SUIDGID: 0x800,
} as const;

/** FUSE_GETATTR_FH: the request carries a handle. */
export const GETATTR_FLAGS = { FH: 0x1 } as const;

export const READ_FLAGS = { LOCKOWNER: 0x2 } as const;

export const WRITE_FLAGS = {
  /** Written back from the page cache: the handle is a guess. */
  CACHE: 0x1,
  LOCKOWNER: 0x2,
  KILL_SUIDGID: 0x4,
} as const;

export const RELEASE_FLAGS = { FLUSH: 0x1, FLOCK_UNLOCK: 0x2 } as const;

/** FUSE_FSYNC_FDATASYNC: the data and what is needed to find it, not times and modes. */
export const FSYNC_FLAGS = { FDATASYNC: 0x1 } as const;

export const LK_FLAGS = { FLOCK: 0x1 } as const;

/** Flags of renameat2(2), in RENAME2. */
export const RENAME_FLAGS = { NOREPLACE: 0x1, EXCHANGE: 0x2, WHITEOUT: 0x4 } as const;

/** Of NOTIFY_INVAL_ENTRY: lets the name expire instead of dropping it. 7.38 */
export const INVAL_ENTRY_FLAGS = { EXPIRE_ONLY: 0x1 } as const;

/** The two lowest bits of the open flags. */
export const O_ACCMODE = 0x3;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;

/** open(2) flags of Linux on x86-64, apart from the access mode. */
export const OPEN_FLAGS = {
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  DIRECT: 0o40000,
  LARGEFILE: 0o100000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  SYNC: 0o4000000,
  TMPFILE: 0o20000000,
} as const;

/** "KEEP_CACHE|NOFLUSH"; bits without a name as a hexadecimal number; "0" for none. */
export function formatFlags(flags: number, table: FlagTable): string {
  const parts: string[] = [];
  let rest = flags;
  for (const [name, bit] of Object.entries(table)) {
    if ((flags & bit) === 0) continue;
    parts.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) parts.push(`0x${(rest >>> 0).toString(16)}`);
  return parts.length === 0 ? '0' : parts.join('|');
}

/** "RDWR|CREAT": what an application passed to open(2). */
export function formatOpenFlags(flags: number): string {
  const access = ['RDONLY', 'WRONLY', 'RDWR', 'ACCMODE'][flags & O_ACCMODE]!;
  const rest = flags & ~O_ACCMODE;
  return rest === 0 ? access : `${access}|${formatFlags(rest, OPEN_FLAGS)}`;
}
