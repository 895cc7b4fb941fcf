// Requests about attributes, permissions and extended attributes of a file or folder.

import { FATTR, formatFlags, GETATTR_FLAGS } from '../flags.ts';
import { FuseRequest } from '../request-buffer.ts';
import { octal, quote, time, unlessZero } from './format.ts';

/**
 *   struct fuse_getattr_in
 *    0 u32 getattr_flags   GETATTR_FLAGS
 *    4 u32 dummy
 *    8 u64 fh              meaningful with GETATTR_FLAGS.FH
 */
export class GetattrRequest extends FuseRequest {
  get flags(): number {
    return this.u32(0);
  }

  get hasFh(): boolean {
    return (this.flags & GETATTR_FLAGS.FH) !== 0;
  }

  get fh(): number {
    return this.u64(8);
  }

  override describe(): string {
    return this.hasFh ? `fh=${this.fh}` : '';
  }
}

/**
 *   struct fuse_setattr_in: only the fields named in `valid` are meant
 *    0 u32 valid       FATTR
 *    4 u32 padding
 *    8 u64 fh          FATTR.FH: by ftruncate; without it, by truncate or by open with O_TRUNC
 *   16 u64 size
 *   24 u64 lock_owner
 *   32 u64 atime       seconds, signed
 *   40 u64 mtime
 *   48 u64 ctime
 *   56 u32 atimensec
 *   60 u32 mtimensec
 *   64 u32 ctimensec
 *   68 u32 mode
 *   72 u32 unused4
 *   76 u32 uid         the owner to be, not who asks (that is `uid` of the header)
 *   80 u32 gid
 *   84 u32 unused5
 */
export class SetattrRequest extends FuseRequest {
  get valid(): number {
    return this.u32(0);
  }

  /** Whether a field is meant: `request.sets(FATTR.SIZE)`. */
  sets(field: number): boolean {
    return (this.valid & field) !== 0;
  }

  get fh(): number {
    return this.u64(8);
  }

  get size(): number {
    return this.u64(16);
  }

  get atime(): number {
    return Number(BigInt.asIntN(64, this.bigU64(32)));
  }

  get mtime(): number {
    return Number(BigInt.asIntN(64, this.bigU64(40)));
  }

  get ctime(): number {
    return Number(BigInt.asIntN(64, this.bigU64(48)));
  }

  get atimensec(): number {
    return this.u32(56);
  }

  get mtimensec(): number {
    return this.u32(60);
  }

  get ctimensec(): number {
    return this.u32(64);
  }

  get mode(): number {
    return this.u32(68);
  }

  get newUid(): number {
    return this.u32(76);
  }

  get newGid(): number {
    return this.u32(80);
  }

  override describe(): string {
    const parts: string[] = [];
    if (this.sets(FATTR.FH)) parts.push(`fh=${this.fh}`);
    if (this.sets(FATTR.SIZE)) parts.push(`size=${this.size}`);
    if (this.sets(FATTR.MODE)) parts.push(`mode=${octal(this.mode)}`);
    if (this.sets(FATTR.UID)) parts.push(`uid=${this.newUid}`);
    if (this.sets(FATTR.GID)) parts.push(`gid=${this.newGid}`);
    if (this.sets(FATTR.ATIME)) parts.push(`atime=${time(this.atime, this.atimensec)}`);
    if (this.sets(FATTR.MTIME)) parts.push(`mtime=${time(this.mtime, this.mtimensec)}`);
    if (this.sets(FATTR.CTIME)) parts.push(`ctime=${time(this.ctime, this.ctimensec)}`);
    return [...parts, `valid=${formatFlags(this.valid, FATTR)}`].join(' ');
  }
}

/**
 *   struct fuse_access_in
 *    0 u32 mask      of access(2): 4 read, 2 write, 1 execute
 *    4 u32 padding
 */
export class AccessRequest extends FuseRequest {
  get mask(): number {
    return this.u32(0);
  }

  override describe(): string {
    return `mask=${this.mask}`;
  }
}

/**
 *   struct fuse_statx_in. 7.39
 *    0 u32 getattr_flags
 *    4 u32 reserved
 *    8 u64 fh
 *   16 u32 sx_flags
 *   20 u32 sx_mask    the fields asked for
 */
export class StatxRequest extends GetattrRequest {
  get sxFlags(): number {
    return this.u32(16);
  }

  get sxMask(): number {
    return this.u32(20);
  }

  override describe(): string {
    const handle = this.hasFh ? `fh=${this.fh} ` : '';
    return `${handle}mask=0x${this.sxMask.toString(16)}`;
  }
}

/**
 *   struct fuse_getxattr_in; GETXATTR: then a name; LISTXATTR: nothing more
 *    0 u32 size      room for the answer; 0 asks how much there is
 *    4 u32 padding
 */
export class ListxattrRequest extends FuseRequest {
  get size(): number {
    return this.u32(0);
  }

  override get replyBytesMax(): number {
    return this.size;
  }

  override describe(): string {
    return `size=${this.size}`;
  }
}

export class GetxattrRequest extends ListxattrRequest {
  get name(): string {
    return this.text();
  }

  override describe(): string {
    return `name=${quote(this.name)} size=${this.size}`;
  }
}

/**
 *   struct fuse_setxattr_in without FUSE_SETXATTR_EXT, which this package does not ask for; then a
 *   name and the value
 *    0 u32 size      of the value
 *    4 u32 flags     of setxattr(2): 1 create, 2 replace
 */
export class SetxattrRequest extends FuseRequest {
  get size(): number {
    return this.u32(0);
  }

  get flags(): number {
    return this.u32(4);
  }

  get name(): string {
    return this.text();
  }

  /** Where in `buffer.bytes` the value begins: it is the last thing in the message. */
  get dataStart(): number {
    return this.buffer.length - this.size;
  }

  override check(): void {
    super.check();
    this.checkTail(this.size);
  }

  override describe(): string {
    const flags = unlessZero('flags', this.flags, String(this.flags));
    return `name=${quote(this.name)} size=${this.size}${flags}`;
  }
}
