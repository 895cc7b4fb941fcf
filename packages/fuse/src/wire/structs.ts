// The structs of which replies are made: their encoders, with their layouts.
//
// Every encoder writes all bytes of its struct, so that nothing of an earlier reply in the same
// buffer reaches the kernel. Numbers may exceed 32 bits; they are exact below 2^53.

const TWO_TO_32 = 0x1_0000_0000;

export const OUT_HEADER_BYTES = 16;
export const ENTRY_OUT_BYTES = 128;
export const ATTR_OUT_BYTES = 104;
export const OPEN_OUT_BYTES = 16;
export const STATFS_OUT_BYTES = 80;
export const LK_OUT_BYTES = 24;

export function setU64(view: DataView, at: number, value: number): void {
  // setUint32 keeps the lower 32 bits, also of a negative number.
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / TWO_TO_32), true);
}

/** What stat(2) reports. Times are seconds and nanoseconds since the epoch. */
export interface FuseAttr {
  readonly ino: number;
  readonly size: number;
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
  readonly atimensec: number;
  readonly mtimensec: number;
  readonly ctimensec: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blksize: number;
}

/** Attributes, and how long the kernel may believe them without asking. */
export interface AttrOut {
  readonly attr: FuseAttr;
  readonly attrValidMs: number;
}

/** What a name stands for, and how long the kernel may believe that without asking. */
export interface EntryOut extends AttrOut {
  /** Never 0: that says that the name does not exist (`negativeEntry`). */
  readonly nodeid: number;
  /** Differs between two files that get the same nodeid one after the other. */
  readonly generation: number;
  readonly entryValidMs: number;
}

export interface StatfsOut {
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly bsize: number;
  readonly namelen: number;
  readonly frsize: number;
}

export interface LkOut {
  readonly start: number;
  readonly end: number;
  readonly type: number;
  readonly pid: number;
}

/**
 *   struct fuse_out_header
 *    0 u32 len
 *    4 i32 error    0 or a negated error number; notifications: their code
 *    8 u64 unique   of the request; notifications: 0
 */
export function encodeOutHeader(
  view: DataView,
  length: number,
  error: number,
  uniqueLo: number,
  uniqueHi: number,
): void {
  view.setUint32(0, length, true);
  view.setInt32(4, error, true);
  view.setUint32(8, uniqueLo, true);
  view.setUint32(12, uniqueHi, true);
}

/**
 *   struct fuse_attr, 88 bytes
 *    0 u64 ino     8 u64 size    16 u64 blocks
 *   24 u64 atime  32 u64 mtime   40 u64 ctime
 *   48 u32 atimensec  52 u32 mtimensec  56 u32 ctimensec
 *   60 u32 mode   64 u32 nlink   68 u32 uid   72 u32 gid
 *   76 u32 rdev   80 u32 blksize 84 u32 flags
 */
function encodeAttr(view: DataView, at: number, attr: FuseAttr): void {
  setU64(view, at, attr.ino);
  setU64(view, at + 8, attr.size);
  setU64(view, at + 16, attr.blocks);
  setU64(view, at + 24, attr.atime);
  setU64(view, at + 32, attr.mtime);
  setU64(view, at + 40, attr.ctime);
  view.setUint32(at + 48, attr.atimensec, true);
  view.setUint32(at + 52, attr.mtimensec, true);
  view.setUint32(at + 56, attr.ctimensec, true);
  view.setUint32(at + 60, attr.mode, true);
  view.setUint32(at + 64, attr.nlink, true);
  view.setUint32(at + 68, attr.uid, true);
  view.setUint32(at + 72, attr.gid, true);
  view.setUint32(at + 76, attr.rdev, true);
  view.setUint32(at + 80, attr.blksize, true);
  view.setUint32(at + 84, 0, true);
}

function nanoseconds(validMs: number): number {
  return Math.floor((validMs % 1000) * 1e6);
}

/**
 *   struct fuse_attr_out, 104 bytes
 *    0 u64 attr_valid        seconds
 *    8 u32 attr_valid_nsec
 *   12 u32 dummy
 *   16 struct fuse_attr
 */
export function encodeAttrOut(view: DataView, at: number, out: AttrOut): void {
  setU64(view, at, Math.floor(out.attrValidMs / 1000));
  view.setUint32(at + 8, nanoseconds(out.attrValidMs), true);
  view.setUint32(at + 12, 0, true);
  encodeAttr(view, at + 16, out.attr);
}

/**
 *   struct fuse_entry_out, 128 bytes
 *    0 u64 nodeid
 *    8 u64 generation
 *   16 u64 entry_valid       seconds
 *   24 u64 attr_valid        seconds
 *   32 u32 entry_valid_nsec
 *   36 u32 attr_valid_nsec
 *   40 struct fuse_attr
 */
export function encodeEntryOut(view: DataView, at: number, entry: EntryOut): void {
  setU64(view, at, entry.nodeid);
  setU64(view, at + 8, entry.generation);
  setU64(view, at + 16, Math.floor(entry.entryValidMs / 1000));
  setU64(view, at + 24, Math.floor(entry.attrValidMs / 1000));
  view.setUint32(at + 32, nanoseconds(entry.entryValidMs), true);
  view.setUint32(at + 36, nanoseconds(entry.attrValidMs), true);
  encodeAttr(view, at + 40, entry.attr);
}

/** struct fuse_entry_out that says: there is no such name, and do not ask again for a while. */
export function encodeNegativeEntry(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  entryValidMs: number,
): void {
  bytes.fill(0, at, at + ENTRY_OUT_BYTES);
  setU64(view, at + 16, Math.floor(entryValidMs / 1000));
  view.setUint32(at + 32, nanoseconds(entryValidMs), true);
}

/** A handle, its FOPEN flags, and what to pass through to (0: nothing). */
export interface OpenOut {
  readonly fh: number;
  readonly openFlags: number;
  readonly backingId: number;
}

/**
 *   struct fuse_open_out, 16 bytes
 *    0 u64 fh
 *    8 u32 open_flags   FOPEN
 *   12 i32 backing_id   with FOPEN.PASSTHROUGH. 7.40
 */
export function encodeOpenOut(view: DataView, at: number, open: OpenOut): void {
  setU64(view, at, open.fh);
  view.setUint32(at + 8, open.openFlags, true);
  view.setInt32(at + 12, open.backingId, true);
}

/**
 *   struct fuse_statfs_out, 80 bytes
 *    0 u64 blocks  8 u64 bfree  16 u64 bavail  24 u64 files  32 u64 ffree
 *   40 u32 bsize  44 u32 namelen  48 u32 frsize  52 u32 padding  56 u32 spare[6]
 */
export function encodeStatfsOut(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  statfs: StatfsOut,
): void {
  setU64(view, at, statfs.blocks);
  setU64(view, at + 8, statfs.bfree);
  setU64(view, at + 16, statfs.bavail);
  setU64(view, at + 24, statfs.files);
  setU64(view, at + 32, statfs.ffree);
  view.setUint32(at + 40, statfs.bsize, true);
  view.setUint32(at + 44, statfs.namelen, true);
  view.setUint32(at + 48, statfs.frsize, true);
  bytes.fill(0, at + 52, at + STATFS_OUT_BYTES);
}

/**
 *   struct fuse_lk_out, 24 bytes
 *    0 u64 start  8 u64 end  16 u32 type  20 u32 pid
 */
export function encodeLkOut(view: DataView, at: number, lock: LkOut): void {
  setU64(view, at, lock.start);
  setU64(view, at + 8, lock.end);
  view.setUint32(at + 16, lock.type, true);
  view.setUint32(at + 20, lock.pid, true);
}
