// Requests that open, synchronize and close files and folders. `fh` is the number that the daemon
// gave in its reply to OPEN, OPENDIR or CREATE; the kernel only carries it.

import { formatFlags, formatOpenFlags, FSYNC_FLAGS, RELEASE_FLAGS } from '../flags.ts';
import { FuseRequest } from '../request-buffer.ts';
import { octal, quote, unlessZero } from './format.ts';

/**
 *   struct fuse_open_in, of OPEN and OPENDIR
 *    0 u32 flags       of open(2), without O_CREAT, O_EXCL and O_NOCTTY; O_TRUNC only when
 *                      ATOMIC_O_TRUNC was negotiated
 *    4 u32 open_flags  1: drop set-user-id bits (with HANDLE_KILLPRIV_V2)
 */
export class OpenRequest extends FuseRequest {
  get flags(): number {
    return this.u32(0);
  }

  override describe(): string {
    return `flags=${formatOpenFlags(this.flags)}`;
  }
}

/**
 *   struct fuse_create_in, of CREATE and TMPFILE, then a name
 *    0 u32 flags       of open(2)
 *    4 u32 mode        after the umask, unless DONT_MASK was negotiated
 *    8 u32 umask
 *   12 u32 open_flags
 */
export class CreateRequest extends FuseRequest {
  get flags(): number {
    return this.u32(0);
  }

  get mode(): number {
    return this.u32(4);
  }

  get umask(): number {
    return this.u32(8);
  }

  get name(): string {
    return this.text();
  }

  override describe(): string {
    const flags = formatOpenFlags(this.flags);
    return `name=${quote(this.name)} flags=${flags} mode=${octal(this.mode)}`;
  }
}

/**
 *   struct fuse_release_in, of RELEASE and RELEASEDIR
 *    0 u64 fh
 *    8 u32 flags           of open(2)
 *   12 u32 release_flags   RELEASE_FLAGS
 *   16 u64 lock_owner      with RELEASE_FLAGS.FLOCK_UNLOCK
 */
export class ReleaseRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get flags(): number {
    return this.u32(8);
  }

  get releaseFlags(): number {
    return this.u32(12);
  }

  override describe(): string {
    const flags = formatFlags(this.releaseFlags, RELEASE_FLAGS);
    return `fh=${this.fh}${unlessZero('release', this.releaseFlags, flags)}`;
  }
}

/**
 *   struct fuse_flush_in. Sent for every close(2) of a descriptor, not only for the last one
 *    0 u64 fh
 *    8 u32 unused
 *   12 u32 padding
 *   16 u64 lock_owner   whose POSIX locks end with this close
 */
export class FlushRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get lockOwner(): bigint {
    return this.bigU64(16);
  }

  override describe(): string {
    return `fh=${this.fh}`;
  }
}

/**
 *   struct fuse_fsync_in, of FSYNC and FSYNCDIR
 *    0 u64 fh
 *    8 u32 fsync_flags   FSYNC_FLAGS
 *   12 u32 padding
 */
export class FsyncRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  /** fdatasync(2) rather than fsync(2). */
  get isDataOnly(): boolean {
    return (this.u32(8) & FSYNC_FLAGS.FDATASYNC) !== 0;
  }

  override describe(): string {
    return `fh=${this.fh}${this.isDataOnly ? ' datasync' : ''}`;
  }
}
