// Serves the kernel's requests: names and nodes here, bytes in the engine's files.
//
// Two rules hold for every method. What the engine says is pending is answered when it settles,
// never before. And what the engine throws becomes an error number; what is no such error is a bug,
// which ends the node rather than let it go on with a state that nobody has thought of.

import {
  type Access,
  type Engine,
  type FileOwner,
  type MountFile,
  parseFileName,
  type Pending,
} from '@skein/engine';
import {
  type AccessRequest,
  type AttrReply,
  type CreateReply,
  type CreateRequest,
  type DataReply,
  DIRENT_TYPE,
  type DirentReply,
  type EmptyReply,
  type EntryOut,
  type EntryReply,
  FATTR,
  type FlushRequest,
  type FsyncRequest,
  type FuseAttr,
  type FuseHandler,
  type FuseRequest,
  type LookupReply,
  type NameRequest,
  OPEN_FLAGS,
  type OpenReply,
  type OpenRequest,
  type ReadRequest,
  type ReleaseRequest,
  type Rename2Request,
  RENAME_FLAGS,
  type RenameRequest,
  type SetattrRequest,
  type StatfsReply,
  type WriteReply,
  type WriteRequest,
} from '@skein/fuse';
import { type Clock, ERRNO } from '@skein/host';

import { Answers } from './answers.ts';
import {
  fileAttributes,
  folderAttributes,
  shownByReplica,
  VALID_MS,
  validity,
  withoutWriting,
} from './attributes.ts';
import { maybeErrorNumber, MountError } from './error-numbers.ts';
import type { Handles } from './handles.ts';
import { Listing } from './listing.ts';
import { isGone, type MountNode, type Nodes, ROOT_ID } from './nodes.ts';
import { checkAccess, checkRemoval, MAY_READ, MAY_SEARCH, MAY_WRITE } from './permissions.ts';
import type { Refusals } from './refusals.ts';
import {
  accessOf,
  changedOwner,
  checkFileEnd,
  checkLength,
  NAME_BYTES_MAX,
  isThreadOfOurs,
  nameIn,
  newTimeMs,
  readableBytes,
} from './request-fields.ts';
import type { StatusFiles } from './status-files.ts';
import { readBehind, shownWalBytes, type WalPages, walWasCut } from './wal-pages.ts';

export interface MountHandlerOptions {
  readonly engine: Engine;
  readonly nodes: Nodes;
  readonly handles: Handles;
  readonly refusals: Refusals;
  readonly walPages: WalPages;
  readonly statusFiles: StatusFiles;
  readonly clock: Clock;
  /** Whether the databases are another node's, which this one follows. */
  readonly isReplica: boolean;
  /** Whose the folder was before something was mounted there, and its mode. */
  readonly folderOwner: FileOwner;
  /** What statfs(2) shows. */
  readonly space: () => { readonly totalBytes: number; readonly availableBytes: number };
  /** When the content of a file was last changed, before the node was started. */
  readonly modifiedMs: (name: string) => number;
  /** Makes the kernel ask for a name again. */
  readonly forgetName: (name: string) => void;
}

const BLOCK_BYTES = 4096;

/** What a listing gives where nobody has looked yet; 0 would hide the entry. */
const UNKNOWN_INO = 0xffff_ffff;

export class MountHandler implements FuseHandler {
  readonly #options: MountHandlerOptions;
  readonly #engine: Engine;
  readonly #nodes: Nodes;
  readonly #handles: Handles;
  readonly #answers: Answers;
  readonly #listing = new Listing();
  #folderOwner: FileOwner;
  #folderModifiedMs: number;

  constructor(options: MountHandlerOptions) {
    this.#options = options;
    this.#engine = options.engine;
    this.#nodes = options.nodes;
    this.#handles = options.handles;
    this.#answers = new Answers(options.refusals);
    this.#folderOwner = options.folderOwner;
    this.#folderModifiedMs = options.clock.wallMs();
  }

  /** Throws what went wrong in an answer that came later, if it is a bug. */
  throwBug(): void {
    this.#answers.throwBug();
  }

  lookup(request: NameRequest, reply: LookupReply): void {
    this.#answers.try(reply, () => {
      const name = nameIn(request);
      const file = this.#engine.store.find(name);
      if (file !== undefined) return reply.entry(this.#entry(this.#lookUp(name, file)));
      this.#nodes.detach(name);
      reply.negativeEntry(parseFileName(name).kind === 'position' ? 0 : VALID_MS);
    });
  }

  forget(nodeid: number, nlookup: number): void {
    if (nodeid !== ROOT_ID) this.#nodes.forget(nodeid, nlookup);
  }

  getattr({ nodeid }: FuseRequest, reply: AttrReply): void {
    this.#answers.try(reply, () => this.#answerAttributes(nodeid, reply));
  }

  setattr(request: SetattrRequest, reply: AttrReply): void {
    this.#answers.try(reply, () => {
      const { nodeid } = request;
      if (nodeid === ROOT_ID) {
        this.#folderOwner = changedOwner(request, this.#folderOwner);
        return this.#answerAttributes(nodeid, reply);
      }
      const node = this.#node(nodeid);
      this.#changeOwner(node, request);
      if (request.sets(FATTR.MTIME)) node.modifiedMs = newTimeMs(request, this.#options.clock);
      const pending = request.sets(FATTR.SIZE) ? this.#truncate(node, request) : undefined;
      if (request.sets(FATTR.SIZE) && this.#isWrittenWal(node)) walWasCut(node, request.size);
      this.#answers.when(reply, pending, (answered) => this.#answerAttributes(nodeid, answered));
    });
  }

  /** access(2) and chdir(2) only: SQLite's transactions have neither. */
  access(request: AccessRequest, reply: EmptyReply): void {
    this.#answers.try(reply, () => {
      const { nodeid, mask } = request;
      const node = nodeid === ROOT_ID ? undefined : this.#node(nodeid);
      checkAccess(request, node === undefined ? this.#folderOwner : this.#ownerOf(node), mask);
      const isFollowed = this.#options.isReplica && node?.kind !== 'shm';
      if (isFollowed && (mask & MAY_WRITE) !== 0) throw new MountError('EACCES');
      reply.ok();
    });
  }

  statfs(_request: FuseRequest, reply: StatfsReply): void {
    this.#answers.try(reply, () => {
      const { totalBytes, availableBytes } = this.#options.space();
      const free = Math.floor(availableBytes / BLOCK_BYTES);
      reply.statfs({
        blocks: Math.floor(totalBytes / BLOCK_BYTES),
        bfree: free,
        bavail: free,
        files: 0,
        ffree: 0,
        bsize: BLOCK_BYTES,
        frsize: BLOCK_BYTES,
        namelen: NAME_BYTES_MAX,
      });
    });
  }

  create(request: CreateRequest, reply: CreateReply): void {
    this.#answers.try(reply, () => {
      const name = nameIn(request);
      const access = accessOf(request.flags);
      const existing = this.#engine.store.find(name);
      if (existing !== undefined) {
        if ((request.flags & OPEN_FLAGS.EXCL) !== 0) throw new MountError('EEXIST');
        const node = this.#lookUp(name, existing);
        const file = this.#openChecked(request, node);
        return reply.create(this.#entry(node), this.#handles.open(node, file));
      }
      checkAccess(request, this.#folderOwner, MAY_WRITE | MAY_SEARCH);
      checkLength(name);
      const { uid, gid, mode } = request;
      const owner: FileOwner = { uid, gid, mode: mode & 0o777 };
      const file = this.#create(name, access, owner);
      this.#folderModifiedMs = this.#options.clock.wallMs();
      const node = this.#lookUp(name, this.#engine.store.find(name)!);
      node.owner = owner;
      reply.create(this.#entry(node), this.#handles.open(node, file));
    });
  }

  open(request: OpenRequest, reply: OpenReply): void {
    this.#answers.try(reply, () => {
      const node = this.#node(request.nodeid);
      if (node.isDetached) throw new MountError('ESTALE');
      const file = this.#openChecked(request, node);
      // What the node itself opens, it needs in order to be there before its clients.
      const isOurs = this.#options.isReplica && isThreadOfOurs(request.pid);
      const attended = isOurs ? undefined : this.#engine.store.attend(node.name);
      this.#answers.when(reply, attended, (answered) => {
        // The kernel looks the name up again.
        if (node.isDetached) throw new MountError('ESTALE');
        answered.open(this.#handles.open(node, file));
      });
    });
  }

  read(request: ReadRequest, reply: DataReply): void {
    this.#answers.try(reply, () => {
      const { file, node } = this.#handles.getAttached(request.fh);
      const length = readableBytes(request);
      let count = length && file.read(reply.bytes, reply.dataStart, length, request.offset);
      if (this.#isWrittenWal(node)) {
        const rest = reply.bytes.subarray(reply.dataStart + count, reply.dataStart + length);
        count += readBehind(node, rest, request.offset + count);
      }
      reply.data(count);
    });
  }

  write(request: WriteRequest, reply: WriteReply): void {
    this.#answers.try(reply, () => {
      const { fh, offset, size, buffer, dataStart } = request;
      checkFileEnd(offset + size);
      const { file, node } = this.#handles.getAttached(fh);
      node.modifiedMs = this.#options.clock.wallMs();
      const pending = file.write(buffer.bytes, dataStart, size, offset);
      const settled = pending ?? this.#prepareBehind(node, offset + size);
      this.#answers.when(reply, settled, (answered) => answered.written(size));
    });
  }

  flush({ fh, pid }: FlushRequest, reply: EmptyReply): void {
    this.#answers.try(reply, () => {
      const { file, node } = this.#handles.get(fh);
      const pending = isGone(node) ? undefined : file.flush(pid);
      this.#answers.when(reply, pending, (answered) => answered.ok());
    });
  }

  fsync({ fh }: FsyncRequest, reply: EmptyReply): void {
    this.#answers.try(reply, () => {
      const { file } = this.#handles.getAttached(fh);
      this.#answers.when(reply, file.sync(), (answered) => answered.ok());
    });
  }

  release({ fh }: ReleaseRequest, reply: EmptyReply): void {
    this.#answers.try(reply, () => {
      const { file, node } = this.#handles.release(fh);
      file.release();
      // A database that came to nothing goes with whoever made it.
      const isFound = this.#engine.store.find(node.name) === node.file;
      if (!isFound && !node.isDetached) this.#nodes.detach(node.name);
      reply.ok();
    });
  }

  unlink(request: NameRequest, reply: EmptyReply): void {
    this.#answers.try(reply, () => {
      const name = nameIn(request);
      this.#checkRemoval(request, name);
      const removed = this.#engine.store.remove(name);
      this.#answers.when(reply, removed, (answered) => {
        this.#nodes.detach(name);
        this.#folderModifiedMs = this.#options.clock.wallMs();
        answered.ok();
      });
    });
  }

  rename(request: RenameRequest, reply: EmptyReply): void {
    this.#answers.try(reply, () => this.#rename(request, reply));
  }

  rename2(request: Rename2Request, reply: EmptyReply): void {
    this.#answers.try(reply, () => {
      const { flags, newname } = request;
      if ((flags & ~RENAME_FLAGS.NOREPLACE) !== 0) throw new MountError('EINVAL');
      if (flags !== 0 && this.#engine.store.find(newname) !== undefined) {
        throw new MountError('EEXIST');
      }
      this.#rename(request, reply);
    });
  }

  readdir({ offset }: ReadRequest, reply: DirentReply): void {
    this.#answers.try(reply, () => {
      const own = this.#options.statusFiles.entries(ROOT_ID);
      const names = [...own.map(({ name }) => name), ...this.#engine.store.names()];
      for (const { name, off } of this.#listing.from(offset, names)) {
        const status = own.find((entry) => entry.name === name);
        const isFolder = name === '.' || name === '..' || status?.isFolder === true;
        const type = isFolder ? DIRENT_TYPE.DIR : DIRENT_TYPE.REG;
        const ino = status?.id ?? this.#nodes.find(name)?.id ?? UNKNOWN_INO;
        if (!reply.add({ name, off, ino, type })) break;
      }
      reply.dirents();
    });
  }

  // The mount is one flat folder of files.

  mkdir(_request: FuseRequest, reply: EntryReply): void {
    reply.error(ERRNO.EPERM);
  }

  mknod(_request: FuseRequest, reply: EntryReply): void {
    reply.error(ERRNO.EPERM);
  }

  symlink(_request: FuseRequest, reply: EntryReply): void {
    reply.error(ERRNO.EPERM);
  }

  link(_request: FuseRequest, reply: EntryReply): void {
    reply.error(ERRNO.EPERM);
  }

  #prepareBehind(node: MountNode, end: number): Pending | undefined {
    return this.#isWrittenWal(node) ? this.#options.walPages.prepareBehind(node, end) : undefined;
  }

  #node(id: number): MountNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new MountError(id === ROOT_ID ? 'EISDIR' : 'ESTALE');
    return node;
  }

  #lookUp(name: string, file: MountFile): MountNode {
    const known = this.#nodes.find(name);
    const modifiedMs = known?.file === file ? known.modifiedMs : this.#options.modifiedMs(name);
    return this.#nodes.lookUp(name, file, modifiedMs);
  }

  #entry(node: MountNode): EntryOut {
    const attr = this.#attributes(node);
    const { entryValidMs, attrValidMs } = validity(node, this.#options.isReplica);
    return { nodeid: node.id, generation: 0, attr, entryValidMs, attrValidMs };
  }

  #attributes(node: MountNode): FuseAttr {
    const owner = this.#ownerOf(node);
    const shownOwner = this.#options.isReplica ? shownByReplica(node, owner) : owner;
    return fileAttributes(node, shownOwner, this.#shownBytes(node));
  }

  #shownBytes(node: MountNode): number {
    if (isGone(node)) return 0;
    return this.#isWrittenWal(node) ? shownWalBytes(node) : node.file.sizeBytes;
  }

  /** On a replica the node itself writes it. */
  #isWrittenWal({ kind }: MountNode): boolean {
    return kind === 'wal' && !this.#options.isReplica;
  }

  #answerAttributes(nodeid: number, reply: AttrReply): void {
    let attr: FuseAttr;
    let attrValidMs = VALID_MS;
    if (nodeid === ROOT_ID) {
      const owner = this.#folderOwner;
      const shown = this.#options.isReplica ? withoutWriting(owner) : owner;
      attr = folderAttributes(shown, this.#folderModifiedMs);
    } else {
      const node = this.#node(nodeid);
      attr = this.#attributes(node);
      ({ attrValidMs } = validity(node, this.#options.isReplica));
    }
    reply.attr({ attr, attrValidMs });
  }

  #ownerOf(node: MountNode): FileOwner {
    const { database } = parseFileName(node.name);
    const { uid, gid } = this.#folderOwner;
    const ofDatabase = node.isDetached ? undefined : this.#engine.store.findDatabase(database);
    return ofDatabase?.owner ?? node.owner ?? { uid, gid, mode: 0o644 };
  }

  #changeOwner(node: MountNode, request: SetattrRequest): void {
    if (!request.sets(FATTR.MODE | FATTR.UID | FATTR.GID)) return;
    const owner = changedOwner(request, this.#ownerOf(node));
    // What SQLite puts beside a database has the database's owner, as SQLite itself sees to.
    if (node.kind === 'database') this.#engine.store.findDatabase(node.name)?.setOwner(owner);
    else node.owner = owner;
  }

  #truncate(node: MountNode, request: SetattrRequest): Pending | undefined {
    checkFileEnd(request.size);
    node.modifiedMs = this.#options.clock.wallMs();
    if (request.sets(FATTR.FH)) {
      return this.#handles.getAttached(request.fh).file.truncate(request.size);
    }
    checkAccess(request, this.#ownerOf(node), MAY_WRITE);
    if (node.isDetached) throw new MountError('ESTALE');
    const files = node.kind === 'database' ? this.#engine.store.findDatabase(node.name) : node.file;
    return files?.truncate(request.size);
  }

  #create(name: string, access: Access, owner: FileOwner): MountFile {
    try {
      return this.#engine.store.create(name, access, owner);
    } catch (error) {
      // SQLite takes this for a folder that may not be written to, and says "readonly database".
      if (maybeErrorNumber(error) !== ERRNO.EROFS) throw error;
      this.#options.refusals.report(error);
      throw new MountError('EACCES');
    }
  }

  #openChecked(request: OpenRequest | CreateRequest, node: MountNode): MountFile {
    const access = accessOf(request.flags);
    const wanted = { read: MAY_READ, write: MAY_WRITE, 'read-write': MAY_READ | MAY_WRITE }[access];
    checkAccess(request, this.#ownerOf(node), wanted);
    if (node.kind === 'position' && access !== 'read') throw new MountError('EACCES');
    return this.#engine.store.open(node.name, access);
  }

  #checkRemoval(request: FuseRequest, name: string): void {
    const file = this.#engine.store.find(name);
    if (file === undefined) throw new MountError('ENOENT');
    const { database } = parseFileName(name);
    const owner = this.#engine.store.findDatabase(database)?.owner ?? this.#nodes.find(name)?.owner;
    checkRemoval(request, this.#folderOwner, owner ?? this.#folderOwner);
  }

  #rename(request: RenameRequest, reply: EmptyReply): void {
    const from = nameIn(request);
    const to = request.newname;
    this.#checkRemoval(request, from);
    checkLength(to);
    const { uid, gid } = request;
    const owner = this.#nodes.find(from)?.owner ?? { uid, gid, mode: 0o644 };
    const renamed = this.#engine.store.rename(from, to, owner);
    this.#answers.when(reply, renamed, (answered) => {
      if (parseFileName(to).kind === 'staging') this.#nodes.rename(from, to);
      else this.#nodes.detach(from);
      answered.ok();
      // The kernel takes the old node for what the new name leads to.
      this.#options.forgetName(to);
    });
  }
}
