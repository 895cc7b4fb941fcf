// Requests about the connection itself and about what the kernel remembers, and the rare ones:
// locks kept by the daemon, ioctl, poll, block maps.

import { formatFlags, LK_FLAGS } from '../flags.ts';
import { FuseRequest } from '../request-buffer.ts';
import { unlessZero } from './format.ts';

/**
 *   struct fuse_init_in
 *    0 u32 major
 *    4 u32 minor
 *    8 u32 max_readahead
 *   12 u32 flags       INIT flags 0 to 31
 *   16 u32 flags2      INIT flags 32 to 63, with INIT_EXT. 7.36
 *   20 u32 unused[11]
 */
export class InitRequest extends FuseRequest {
  get major(): number {
    return this.u32(0);
  }

  get minor(): number {
    return this.u32(4);
  }

  get maxReadahead(): number {
    return this.u32(8);
  }

  get flags(): number {
    return this.u32(12);
  }

  /** 0 from a kernel that does not send the longer struct. */
  get flags2(): number {
    return this.tailBytes >= 4 ? this.u32(16) : 0;
  }

  override describe(): string {
    const flags = `0x${this.flags.toString(16)} flags2=0x${this.flags2.toString(16)}`;
    return `version=${this.major}.${this.minor} readahead=${this.maxReadahead} flags=${flags}`;
  }
}

/**
 *   struct fuse_forget_in
 *    0 u64 nlookup   how many of the replies that named `nodeid` the kernel gives back
 */
export class ForgetRequest extends FuseRequest {
  get nlookup(): number {
    return this.u64(0);
  }

  override describe(): string {
    return `nlookup=${this.nlookup}`;
  }
}

/**
 *   struct fuse_batch_forget_in, then `count` times struct fuse_forget_one. 7.16
 *    0 u32 count
 *    4 u32 dummy
 *    8 u64 nodeid, 16 u64 nlookup, and so on
 */
export class BatchForgetRequest extends FuseRequest {
  get count(): number {
    return this.u32(0);
  }

  nodeidAt(index: number): number {
    return this.u64(8 + index * 16);
  }

  nlookupAt(index: number): number {
    return this.u64(16 + index * 16);
  }

  override check(): void {
    super.check();
    this.checkTail(this.count * 16);
  }

  override describe(): string {
    const all = Array.from({ length: this.count }, (_, index) => index);
    const pairs = all.map((index) => `${this.nodeidAt(index)}:${this.nlookupAt(index)}`);
    return `count=${this.count} nlookup=${pairs.join(',')}`;
  }
}

/**
 *   struct fuse_interrupt_in: a signal came for the process that waits for another request
 *    0 u64 unique    of that request
 */
export class InterruptRequest extends FuseRequest {
  get interruptedLo(): number {
    return this.u32(0);
  }

  get interruptedHi(): number {
    return this.u32(4);
  }

  override describe(): string {
    return `interrupts=#${this.u64(0)}`;
  }
}

/** OFFSET_MAX: the end of a lock that reaches as far as the file will ever grow. */
const END_OF_FILE = 0x7fff_ffff_ffff_ffffn;

/**
 *   struct fuse_lk_in, of GETLK, SETLK and SETLKW; only with POSIX_LOCKS or FLOCK_LOCKS
 *    0 u64 fh
 *    8 u64 owner
 *   16 u64 start
 *   24 u64 end        inclusive
 *   32 u32 type       0 read, 1 write, 2 unlock
 *   36 u32 pid
 *   40 u32 lk_flags   LK_FLAGS
 *   44 u32 padding
 */
export class LkRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get owner(): bigint {
    return this.bigU64(8);
  }

  get start(): number {
    return this.u64(16);
  }

  get end(): number {
    return this.u64(24);
  }

  get type(): number {
    return this.u32(32);
  }

  get lockPid(): number {
    return this.u32(36);
  }

  get lkFlags(): number {
    return this.u32(40);
  }

  override describe(): string {
    const type = ['read', 'write', 'unlock'][this.type] ?? String(this.type);
    const flags = unlessZero('lk', this.lkFlags, formatFlags(this.lkFlags, LK_FLAGS));
    const end = this.bigU64(24) === END_OF_FILE ? 'eof' : this.end;
    return `fh=${this.fh} type=${type} start=${this.start} end=${end}${flags}`;
  }
}

/**
 *   struct fuse_bmap_in; only for mounts on a block device
 *    0 u64 block
 *    8 u32 blocksize
 *   12 u32 padding
 */
export class BmapRequest extends FuseRequest {
  get block(): number {
    return this.u64(0);
  }

  get blocksize(): number {
    return this.u32(8);
  }

  override describe(): string {
    return `block=${this.block} blocksize=${this.blocksize}`;
  }
}

/**
 *   struct fuse_ioctl_in, then `in_size` bytes
 *    0 u64 fh
 *    8 u32 flags
 *   12 u32 cmd
 *   16 u64 arg        the caller's pointer
 *   24 u32 in_size
 *   28 u32 out_size   room for the answer
 */
export class IoctlRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get flags(): number {
    return this.u32(8);
  }

  get cmd(): number {
    return this.u32(12);
  }

  get inSize(): number {
    return this.u32(24);
  }

  get outSize(): number {
    return this.u32(28);
  }

  override get replyBytesMax(): number {
    return this.outSize;
  }

  get dataStart(): number {
    return this.tailStart;
  }

  override check(): void {
    super.check();
    this.checkTail(this.inSize);
  }

  override describe(): string {
    const sizes = `in=${this.inSize} out=${this.outSize}`;
    return `fh=${this.fh} cmd=0x${this.cmd.toString(16)} ${sizes}`;
  }
}

/**
 *   struct fuse_poll_in
 *    0 u64 fh
 *    8 u64 kh       what a NOTIFY_POLL would name
 *   16 u32 flags
 *   20 u32 events   of poll(2)
 */
export class PollRequest extends FuseRequest {
  get fh(): number {
    return this.u64(0);
  }

  get kh(): number {
    return this.u64(8);
  }

  get flags(): number {
    return this.u32(16);
  }

  get events(): number {
    return this.u32(20);
  }

  override describe(): string {
    return `fh=${this.fh} kh=${this.kh} events=0x${this.events.toString(16)}`;
  }
}
