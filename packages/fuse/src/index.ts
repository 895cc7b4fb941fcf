export {
  findPassthroughObstacle,
  registerBackingFile,
  unregisterBackingFile,
} from './backing-files.ts';
export type { TraceLine } from './device-channel.ts';
export { DeviceLoop, type DeviceLoopOptions, type LoopEnd } from './device-loop.ts';
export {
  FuseMountError,
  type FuseMountErrorCode,
  FuseProtocolError,
  type FuseProtocolErrorCode,
} from './errors.ts';
export type { FuseHandler } from './handler.ts';
export { tryAbortConnection, trySetReadahead } from './mount/connection.ts';
export { findContents } from './mount/folder-contents.ts';
export { findMount, type MountTableEntry, parseMountTable } from './mount/mount-table.ts';
export { type FuseMount, mountFuse } from './mount/mount.ts';
export type { MountOptions } from './mount/mount-options.ts';
export { unmountFuse, type UnmountOptions, type UnmountWay } from './mount/unmount.ts';
export { type ByteRange, Notifier } from './notifier.ts';
export type {
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
export { RequestCounts } from './request-counts.ts';
export { maybeFuseTrace } from './trace-output.ts';
export { type Dirent, DIRENT_TYPE } from './wire/dirents.ts';
export {
  FATTR,
  FOPEN,
  O_ACCMODE,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  OPEN_FLAGS,
  RENAME_FLAGS,
  WRITE_FLAGS,
} from './wire/flags.ts';
export {
  DEFAULT_INIT_FLAGS,
  type InitFlag,
  type InitOptions,
  type Negotiated,
} from './wire/init.ts';
export { isWaitedFor, OPCODE, opcodeName, type OpcodeName } from './wire/opcode.ts';
export type { FuseRequest } from './wire/request-buffer.ts';
export type {
  AccessRequest,
  GetattrRequest,
  GetxattrRequest,
  ListxattrRequest,
  SetattrRequest,
  SetxattrRequest,
} from './wire/requests/attributes.ts';
export type { InterruptRequest, IoctlRequest, LkRequest } from './wire/requests/connection.ts';
export type {
  CopyFileRangeRequest,
  FallocateRequest,
  LseekRequest,
  ReadRequest,
  WriteRequest,
} from './wire/requests/data.ts';
export type {
  CreateRequest,
  FlushRequest,
  FsyncRequest,
  OpenRequest,
  ReleaseRequest,
} from './wire/requests/handles.ts';
export type {
  LinkRequest,
  MkdirRequest,
  MknodRequest,
  NameRequest,
  Rename2Request,
  RenameRequest,
  SymlinkRequest,
} from './wire/requests/names.ts';
export type { AttrOut, EntryOut, FuseAttr, LkOut, OpenOut, StatfsOut } from './wire/structs.ts';
export { formatNotification, formatReply, formatRequestBytes } from './wire/trace.ts';
