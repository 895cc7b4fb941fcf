// What a file system implements: one method for every opcode, all optional.
//
// A request whose method is absent is answered ENOSYS, but for RELEASE, RELEASEDIR, FORGET and
// DESTROY, which simply succeed. To the kernel ENOSYS means:
//
//   ACCESS                  all access is allowed; never asked again
//   FLUSH, FSYNC, FSYNCDIR  nothing to do, success; never asked again
//   OPEN, OPENDIR           success, without handles; never asked again, and no RELEASE comes
//   GETXATTR and siblings   there are none (EOPNOTSUPP); never asked again
//   CREATE, TMPFILE         MKNOD and OPEN are used in place of CREATE; TMPFILE: not supported
//   FALLOCATE, LSEEK, COPY_FILE_RANGE, STATX, POLL, INTERRUPT
//                           not supported, or done in the kernel by other means; never asked again
//   IOCTL                   ENOTTY
//   RENAME2                 renames with flags give EINVAL; those without come as RENAME
//   all others              the system call fails with ENOSYS
//
// Methods run on the thread of the device loop and must not touch the mount: the request would wait
// for the very thread that makes it, beyond the reach of kill -9. A request and its buffer belong
// to the loop again when the method returns. A method that throws has its request answered EIO and
// the error reported (DeviceLoopOptions.handlerError).
//
// Left out, since nothing here needs them: STATX (GETATTR serves it, without a birth time), POLL
// (files are always ready), BMAP, SETUPMAPPING and REMOVEMAPPING (block devices and DAX).

import type {
  AttrReply,
  CreateReply,
  DataReply,
  DirentReply,
  EmptyReply,
  EntryReply,
  IoctlReply,
  LkReply,
  LookupReply,
  LseekReply,
  OpenReply,
  StatfsReply,
  TextReply,
  WriteReply,
  XattrReply,
} from './reply.ts';
import type { FuseRequest } from './wire/request-buffer.ts';
import type {
  AccessRequest,
  GetattrRequest,
  GetxattrRequest,
  ListxattrRequest,
  SetattrRequest,
  SetxattrRequest,
} from './wire/requests/attributes.ts';
import type { InterruptRequest, IoctlRequest, LkRequest } from './wire/requests/connection.ts';
import type {
  CopyFileRangeRequest,
  FallocateRequest,
  LseekRequest,
  ReadRequest,
  WriteRequest,
} from './wire/requests/data.ts';
import type {
  CreateRequest,
  FlushRequest,
  FsyncRequest,
  OpenRequest,
  ReleaseRequest,
} from './wire/requests/handles.ts';
import type {
  LinkRequest,
  MkdirRequest,
  MknodRequest,
  NameRequest,
  Rename2Request,
  RenameRequest,
  SymlinkRequest,
} from './wire/requests/names.ts';

export interface FuseHandler {
  lookup?(request: NameRequest, reply: LookupReply): void;
  /** The kernel gives back `nlookup` of the replies that named `nodeid`. Not answered. */
  forget?(nodeid: number, nlookup: number): void;

  getattr?(request: GetattrRequest, reply: AttrReply): void;
  setattr?(request: SetattrRequest, reply: AttrReply): void;
  access?(request: AccessRequest, reply: EmptyReply): void;
  statfs?(request: FuseRequest, reply: StatfsReply): void;

  readlink?(request: FuseRequest, reply: TextReply): void;
  symlink?(request: SymlinkRequest, reply: EntryReply): void;
  mknod?(request: MknodRequest, reply: EntryReply): void;
  mkdir?(request: MkdirRequest, reply: EntryReply): void;
  unlink?(request: NameRequest, reply: EmptyReply): void;
  rmdir?(request: NameRequest, reply: EmptyReply): void;
  rename?(request: RenameRequest, reply: EmptyReply): void;
  rename2?(request: Rename2Request, reply: EmptyReply): void;
  link?(request: LinkRequest, reply: EntryReply): void;

  create?(request: CreateRequest, reply: CreateReply): void;
  tmpfile?(request: CreateRequest, reply: CreateReply): void;
  open?(request: OpenRequest, reply: OpenReply): void;
  read?(request: ReadRequest, reply: DataReply): void;
  write?(request: WriteRequest, reply: WriteReply): void;
  flush?(request: FlushRequest, reply: EmptyReply): void;
  fsync?(request: FsyncRequest, reply: EmptyReply): void;
  release?(request: ReleaseRequest, reply: EmptyReply): void;
  fallocate?(request: FallocateRequest, reply: EmptyReply): void;
  lseek?(request: LseekRequest, reply: LseekReply): void;
  /** COPY_FILE_RANGE and COPY_FILE_RANGE_64. */
  copyFileRange?(request: CopyFileRangeRequest, reply: WriteReply): void;
  syncfs?(request: FuseRequest, reply: EmptyReply): void;
  ioctl?(request: IoctlRequest, reply: IoctlReply): void;

  opendir?(request: OpenRequest, reply: OpenReply): void;
  readdir?(request: ReadRequest, reply: DirentReply): void;
  readdirplus?(request: ReadRequest, reply: DirentReply): void;
  fsyncdir?(request: FsyncRequest, reply: EmptyReply): void;
  releasedir?(request: ReleaseRequest, reply: EmptyReply): void;

  getxattr?(request: GetxattrRequest, reply: XattrReply): void;
  listxattr?(request: ListxattrRequest, reply: XattrReply): void;
  setxattr?(request: SetxattrRequest, reply: EmptyReply): void;
  removexattr?(request: NameRequest, reply: EmptyReply): void;

  /** Only with POSIX_LOCKS or FLOCK_LOCKS: without, the kernel keeps the locks. */
  getlk?(request: LkRequest, reply: LkReply): void;
  setlk?(request: LkRequest, reply: EmptyReply): void;
  setlkw?(request: LkRequest, reply: EmptyReply): void;

  /** A signal came for the process whose request is named; answering that with EINTR obeys it. */
  interrupt?(request: InterruptRequest): void;
  /** The mount goes. The kernel sends this for few mounts; the end of the loop is the sure sign. */
  destroy?(): void;
}
