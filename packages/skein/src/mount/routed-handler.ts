// Sends each request of the kernel to who serves it: the files of databases, or those that tell of
// the node. Names that the node keeps for itself are nobody's to make, remove or rename.

import type {
  AccessRequest,
  AttrReply,
  CreateReply,
  CreateRequest,
  DataReply,
  DirentReply,
  EmptyReply,
  EntryReply,
  FlushRequest,
  FsyncRequest,
  FuseHandler,
  FuseRequest,
  LookupReply,
  NameRequest,
  OpenReply,
  OpenRequest,
  ReadRequest,
  ReleaseRequest,
  Rename2Request,
  RenameRequest,
  SetattrRequest,
  StatfsReply,
  WriteReply,
  WriteRequest,
} from '@skein/fuse';
import { ERRNO } from '@skein/host';

import type { MountHandler } from './mount-handler.ts';
import type { StatusFiles } from './status-files.ts';
import type { StatusFilesHandler } from './status-files-handler.ts';

interface Failing {
  error(errno: number): void;
}

export interface RoutedHandlerOptions {
  readonly databases: MountHandler;
  readonly statusFiles: StatusFiles;
  readonly status: StatusFilesHandler;
}

export class RoutedHandler implements FuseHandler {
  readonly #databases: MountHandler;
  readonly #statusFiles: StatusFiles;
  readonly #status: StatusFilesHandler;

  constructor({ databases, statusFiles, status }: RoutedHandlerOptions) {
    this.#databases = databases;
    this.#statusFiles = statusFiles;
    this.#status = status;
  }

  lookup(request: NameRequest, reply: LookupReply): void {
    const { nodeid, name } = request;
    if (this.#statusFiles.reserves(nodeid, name)) this.#status.lookup(request, reply);
    else this.#databases.lookup(request, reply);
  }

  /** The numbers of status files are fixed: nothing is kept of who knows them. */
  forget(nodeid: number, nlookup: number): void {
    if (!this.#statusFiles.has(nodeid)) this.#databases.forget(nodeid, nlookup);
  }

  getattr(request: FuseRequest, reply: AttrReply): void {
    this.#serverOf(request).getattr(request, reply);
  }

  setattr(request: SetattrRequest, reply: AttrReply): void {
    this.#serverOf(request).setattr(request, reply);
  }

  access(request: AccessRequest, reply: EmptyReply): void {
    this.#serverOf(request).access(request, reply);
  }

  statfs(request: FuseRequest, reply: StatfsReply): void {
    this.#databases.statfs(request, reply);
  }

  create(request: CreateRequest, reply: CreateReply): void {
    // As an open for writing of one that exists.
    if (this.#isReserved(request)) reply.error(ERRNO.EACCES);
    else this.#databases.create(request, reply);
  }

  open(request: OpenRequest, reply: OpenReply): void {
    this.#serverOf(request).open(request, reply);
  }

  read(request: ReadRequest, reply: DataReply): void {
    this.#serverOf(request).read(request, reply);
  }

  /** Status files are never open for writing, nor do they ask to be told of a close. */
  write(request: WriteRequest, reply: WriteReply): void {
    this.#databases.write(request, reply);
  }

  flush(request: FlushRequest, reply: EmptyReply): void {
    this.#databases.flush(request, reply);
  }

  fsync(request: FsyncRequest, reply: EmptyReply): void {
    if (this.#statusFiles.has(request.nodeid)) reply.ok();
    else this.#databases.fsync(request, reply);
  }

  release(request: ReleaseRequest, reply: EmptyReply): void {
    this.#serverOf(request).release(request, reply);
  }

  readdir(request: ReadRequest, reply: DirentReply): void {
    this.#serverOf(request).readdir(request, reply);
  }

  unlink(request: NameRequest, reply: EmptyReply): void {
    if (!this.#refuses(request, reply)) this.#databases.unlink(request, reply);
  }

  rename(request: RenameRequest, reply: EmptyReply): void {
    if (!this.#refusesRename(request, reply)) this.#databases.rename(request, reply);
  }

  rename2(request: Rename2Request, reply: EmptyReply): void {
    if (!this.#refusesRename(request, reply)) this.#databases.rename2(request, reply);
  }

  mkdir(request: FuseRequest, reply: EntryReply): void {
    this.#databases.mkdir(request, reply);
  }

  mknod(request: FuseRequest, reply: EntryReply): void {
    this.#databases.mknod(request, reply);
  }

  symlink(request: FuseRequest, reply: EntryReply): void {
    this.#databases.symlink(request, reply);
  }

  link(request: FuseRequest, reply: EntryReply): void {
    this.#databases.link(request, reply);
  }

  #serverOf({ nodeid }: FuseRequest): MountHandler | StatusFilesHandler {
    return this.#statusFiles.has(nodeid) ? this.#status : this.#databases;
  }

  #isReserved({ nodeid, name }: FuseRequest & { readonly name: string }): boolean {
    return this.#statusFiles.reserves(nodeid, name);
  }

  #refuses(request: NameRequest | RenameRequest, reply: Failing): boolean {
    const isReserved = this.#isReserved(request);
    if (isReserved) reply.error(ERRNO.EPERM);
    return isReserved;
  }

  #refusesRename(request: RenameRequest, reply: Failing): boolean {
    if (this.#refuses(request, reply)) return true;
    const isReserved = this.#statusFiles.reserves(request.newdir, request.newname);
    if (isReserved) reply.error(ERRNO.EPERM);
    return isReserved;
  }
}
