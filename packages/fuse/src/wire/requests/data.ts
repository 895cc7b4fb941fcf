// Requests that move or place bytes of an open file, and those that list a folder.

import { formatFlags, READ_FLAGS, WRITE_FLAGS } from '../flags.ts';
import { FuseRequest } from '../request-buffer.ts';
import { unlessZero } from './format.ts';

/**
 *   struct fuse_read_in, of READ, READDIR and READDIRPLUS
 *    0 u64 fh
 *    8 u64 offset       READDIR: the `off` of the last entry that was seen, 0 at first
 *   16 u32 size         the most that the reply may hold
 *   20 u32 read_flags   READ_FLAGS
 *   24 u64 lock_owner   with READ_FLAGS.LOCKOWNER
 *   32 u32 flags        of open(2)
 *   36 u32 padding
 */
export class ReadRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get offset(): number {
    return this.u64(8);
  }

  get size(): number {
    return this.u32(16);
  }

  override get replyBytesMax(): number {
    return this.size;
  }

  get readFlags(): number {
    return this.u32(20);
  }

  get flags(): number {
    return this.u32(32);
  }

  override describe(): string {
    const flags = formatFlags(this.readFlags, READ_FLAGS);
    const extra = unlessZero('read', this.readFlags, flags);
    return `fh=${this.fh} offset=${this.offset} size=${this.size}${extra}`;
  }
}

/**
 *   struct fuse_write_in, then the data
 *    0 u64 fh
 *    8 u64 offset
 *   16 u32 size          of the data
 *   20 u32 write_flags   WRITE_FLAGS
 *   24 u64 lock_owner    with WRITE_FLAGS.LOCKOWNER
 *   32 u32 flags         of open(2)
 *   36 u32 padding
 *
 * The data is `buffer.bytes` from `dataStart`, `size` bytes. It is gone when the handler returns.
 */
export class WriteRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get offset(): number {
    return this.u64(8);
  }

  get size(): number {
    return this.u32(16);
  }

  get writeFlags(): number {
    return this.u32(20);
  }

  get flags(): number {
    return this.u32(32);
  }

  get dataStart(): number {
    return this.tailStart;
  }

  override check(): void {
    super.check();
    this.checkTail(this.size);
  }

  override describe(): string {
    const flags = formatFlags(this.writeFlags, WRITE_FLAGS);
    const extra = unlessZero('write', this.writeFlags, flags);
    return `fh=${this.fh} offset=${this.offset} size=${this.size}${extra}`;
  }
}

/**
 *   struct fuse_lseek_in. Only SEEK_DATA (3) and SEEK_HOLE (4) are asked. 7.24
 *    0 u64 fh
 *    8 u64 offset
 *   16 u32 whence
 *   20 u32 padding
 */
export class LseekRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get offset(): number {
    return this.u64(8);
  }

  get whence(): number {
    return this.u32(16);
  }

  override describe(): string {
    return `fh=${this.fh} offset=${this.offset} whence=${this.whence}`;
  }
}

/**
 *   struct fuse_fallocate_in. 7.19
 *    0 u64 fh
 *    8 u64 offset
 *   16 u64 length
 *   24 u32 mode      of fallocate(2)
 *   28 u32 padding
 */
export class FallocateRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get offset(): number {
    return this.u64(8);
  }

  get length(): number {
    return this.u64(16);
  }

  get mode(): number {
    return this.u32(24);
  }

  override describe(): string {
    const mode = this.mode.toString(16);
    return `fh=${this.fh} offset=${this.offset} length=${this.length} mode=0x${mode}`;
  }
}

/**
 *   struct fuse_copy_file_range_in, of COPY_FILE_RANGE (7.28) and COPY_FILE_RANGE_64 (7.45)
 *    0 u64 fh_in        `nodeid` of the header is the file it belongs to
 *    8 u64 off_in
 *   16 u64 nodeid_out
 *   24 u64 fh_out
 *   32 u64 off_out
 *   40 u64 len
 *   48 u64 flags
 */
export class CopyFileRangeRequest extends FuseRequest {
  get fhIn(): number {
    return this.u64(0);
  }

  get offIn(): number {
    return this.u64(8);
  }

  get nodeidOut(): number {
    return this.u64(16);
  }

  get fhOut(): number {
    return this.u64(24);
  }

  get offOut(): number {
    return this.u64(32);
  }

  get len(): number {
    return this.u64(40);
  }

  override describe(): string {
    const source = `fh_in=${this.fhIn} off_in=${this.offIn}`;
    const target = `node_out=${this.nodeidOut} fh_out=${this.fhOut} off_out=${this.offOut}`;
    return `${source} ${target} len=${this.len}`;
  }
}
