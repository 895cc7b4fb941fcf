// Which struct each opcode carries: one view a request, made once over one buffer.

import { maybeOpcodeName, OPCODE_END, type OpcodeName } from './opcode.ts';
import { FuseRequest, type RequestBuffer } from './request-buffer.ts';
import {
  AccessRequest,
  GetattrRequest,
  GetxattrRequest,
  ListxattrRequest,
  SetattrRequest,
  SetxattrRequest,
  StatxRequest,
} from './requests/attributes.ts';
import {
  BatchForgetRequest,
  BmapRequest,
  ForgetRequest,
  InitRequest,
  InterruptRequest,
  IoctlRequest,
  LkRequest,
  PollRequest,
} from './requests/connection.ts';
import {
  CopyFileRangeRequest,
  FallocateRequest,
  LseekRequest,
  ReadRequest,
  WriteRequest,
} from './requests/data.ts';
import {
  CreateRequest,
  FlushRequest,
  FsyncRequest,
  OpenRequest,
  ReleaseRequest,
} from './requests/handles.ts';
import {
  LinkRequest,
  MkdirRequest,
  MknodRequest,
  NameRequest,
  Rename2Request,
  RenameRequest,
  SymlinkRequest,
} from './requests/names.ts';

/** The view of each request by the name of its opcode. Those not named have no struct to read. */
export interface RequestViews extends Readonly<Record<OpcodeName, FuseRequest>> {
  readonly LOOKUP: NameRequest;
  readonly FORGET: ForgetRequest;
  readonly GETATTR: GetattrRequest;
  readonly SETATTR: SetattrRequest;
  readonly SYMLINK: SymlinkRequest;
  readonly MKNOD: MknodRequest;
  readonly MKDIR: MkdirRequest;
  readonly UNLINK: NameRequest;
  readonly RMDIR: NameRequest;
  readonly RENAME: RenameRequest;
  readonly LINK: LinkRequest;
  readonly OPEN: OpenRequest;
  readonly READ: ReadRequest;
  readonly WRITE: WriteRequest;
  readonly RELEASE: ReleaseRequest;
  readonly FSYNC: FsyncRequest;
  readonly SETXATTR: SetxattrRequest;
  readonly GETXATTR: GetxattrRequest;
  readonly LISTXATTR: ListxattrRequest;
  readonly REMOVEXATTR: NameRequest;
  readonly FLUSH: FlushRequest;
  readonly INIT: InitRequest;
  readonly OPENDIR: OpenRequest;
  readonly READDIR: ReadRequest;
  readonly RELEASEDIR: ReleaseRequest;
  readonly FSYNCDIR: FsyncRequest;
  readonly GETLK: LkRequest;
  readonly SETLK: LkRequest;
  readonly SETLKW: LkRequest;
  readonly ACCESS: AccessRequest;
  readonly CREATE: CreateRequest;
  readonly INTERRUPT: InterruptRequest;
  readonly BMAP: BmapRequest;
  readonly IOCTL: IoctlRequest;
  readonly POLL: PollRequest;
  readonly NOTIFY_REPLY: WriteRequest;
  readonly BATCH_FORGET: BatchForgetRequest;
  readonly FALLOCATE: FallocateRequest;
  readonly READDIRPLUS: ReadRequest;
  readonly RENAME2: Rename2Request;
  readonly LSEEK: LseekRequest;
  readonly COPY_FILE_RANGE: CopyFileRangeRequest;
  readonly TMPFILE: CreateRequest;
  readonly STATX: StatxRequest;
  readonly COPY_FILE_RANGE_64: CopyFileRangeRequest;
}

/** Makes all views of a buffer. The second argument of each is the length of its struct. */
export function createRequestViews(buffer: RequestBuffer): RequestViews {
  return {
    LOOKUP: new NameRequest(buffer),
    FORGET: new ForgetRequest(buffer, 8),
    GETATTR: new GetattrRequest(buffer, 16),
    SETATTR: new SetattrRequest(buffer, 88),
    READLINK: new FuseRequest(buffer),
    SYMLINK: new SymlinkRequest(buffer),
    MKNOD: new MknodRequest(buffer, 16),
    MKDIR: new MkdirRequest(buffer, 8),
    UNLINK: new NameRequest(buffer),
    RMDIR: new NameRequest(buffer),
    RENAME: new RenameRequest(buffer, 8),
    LINK: new LinkRequest(buffer, 8),
    OPEN: new OpenRequest(buffer, 8),
    READ: new ReadRequest(buffer, 40),
    WRITE: new WriteRequest(buffer, 40),
    STATFS: new FuseRequest(buffer),
    RELEASE: new ReleaseRequest(buffer, 24),
    FSYNC: new FsyncRequest(buffer, 16),
    SETXATTR: new SetxattrRequest(buffer, 8),
    GETXATTR: new GetxattrRequest(buffer, 8),
    LISTXATTR: new ListxattrRequest(buffer, 8),
    REMOVEXATTR: new NameRequest(buffer),
    FLUSH: new FlushRequest(buffer, 24),
    // What every kernel sends; newer ones send 48 bytes more.
    INIT: new InitRequest(buffer, 16),
    OPENDIR: new OpenRequest(buffer, 8),
    READDIR: new ReadRequest(buffer, 40),
    RELEASEDIR: new ReleaseRequest(buffer, 24),
    FSYNCDIR: new FsyncRequest(buffer, 16),
    GETLK: new LkRequest(buffer, 48),
    SETLK: new LkRequest(buffer, 48),
    SETLKW: new LkRequest(buffer, 48),
    ACCESS: new AccessRequest(buffer, 8),
    CREATE: new CreateRequest(buffer, 16),
    INTERRUPT: new InterruptRequest(buffer, 8),
    BMAP: new BmapRequest(buffer, 16),
    DESTROY: new FuseRequest(buffer),
    IOCTL: new IoctlRequest(buffer, 32),
    POLL: new PollRequest(buffer, 24),
    // struct fuse_notify_retrieve_in has the layout of a WRITE, with the same offset and size.
    NOTIFY_REPLY: new WriteRequest(buffer, 40),
    BATCH_FORGET: new BatchForgetRequest(buffer, 8),
    FALLOCATE: new FallocateRequest(buffer, 32),
    READDIRPLUS: new ReadRequest(buffer, 40),
    RENAME2: new Rename2Request(buffer, 16),
    LSEEK: new LseekRequest(buffer, 24),
    COPY_FILE_RANGE: new CopyFileRangeRequest(buffer, 56),
    SETUPMAPPING: new FuseRequest(buffer),
    REMOVEMAPPING: new FuseRequest(buffer),
    SYNCFS: new FuseRequest(buffer, 8),
    TMPFILE: new CreateRequest(buffer, 16),
    STATX: new StatxRequest(buffer, 24),
    COPY_FILE_RANGE_64: new CopyFileRangeRequest(buffer, 56),
  };
}

/** The views as a table by opcode, for who does not know which request comes next. */
export function viewsByOpcode(views: RequestViews): readonly (FuseRequest | undefined)[] {
  return Array.from({ length: OPCODE_END }, (_, opcode) => {
    const name = maybeOpcodeName(opcode);
    return name === undefined ? undefined : views[name];
  });
}
