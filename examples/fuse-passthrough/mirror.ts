// The handler: every request becomes the system call it stands for, on the folder behind.

import * as fs from 'node:fs';

import { DIRENT_TYPE, FATTR, O_ACCMODE } from '@skein/fuse';
import type {
  AttrReply,
  CreateReply,
  CreateRequest,
  DataReply,
  DirentReply,
  EmptyReply,
  EntryOut,
  EntryReply,
  FsyncRequest,
  FuseAttr,
  FuseHandler,
  LinkRequest,
  LookupReply,
  MkdirRequest,
  NameRequest,
  OpenReply,
  OpenRequest,
  ReadRequest,
  ReleaseRequest,
  RenameRequest,
  FuseRequest,
  SetattrRequest,
  StatfsReply,
  SymlinkRequest,
  TextReply,
  WriteReply,
  WriteRequest,
} from '@skein/fuse';

import { Nodes } from './nodes.ts';

/** How long the kernel may believe what it was told: the folder behind may change. */
const VALID_MS = 1000;
/** What a listing gives as inode number where nobody has looked yet; 0 would hide the entry. */
const UNKNOWN_INO = 0xffff_ffff;

function toAttr(stat: fs.Stats): FuseAttr {
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  const nanoseconds = (ms: number): number => Math.floor((ms - seconds(ms) * 1000) * 1e6);
  const { ino, size, blocks, mode, nlink, uid, gid, rdev, blksize } = stat;
  return {
    ino,
    size,
    blocks,
    mode,
    nlink,
    uid,
    gid,
    rdev,
    blksize,
    atime: seconds(stat.atimeMs),
    mtime: seconds(stat.mtimeMs),
    ctime: seconds(stat.ctimeMs),
    atimensec: nanoseconds(stat.atimeMs),
    mtimensec: nanoseconds(stat.mtimeMs),
    ctimensec: nanoseconds(stat.ctimeMs),
  };
}

/** What a listing tells of an entry. */
interface Named {
  readonly name: string;
  readonly type: number;
}

const DOTS: readonly Named[] = ['.', '..'].map((name) => ({ name, type: DIRENT_TYPE.DIR }));

function toNamed(dirent: fs.Dirent): Named {
  const { name } = dirent;
  if (dirent.isFile()) return { name, type: DIRENT_TYPE.REG };
  if (dirent.isDirectory()) return { name, type: DIRENT_TYPE.DIR };
  return { name, type: dirent.isSymbolicLink() ? DIRENT_TYPE.LNK : DIRENT_TYPE.UNKNOWN };
}

/** Runs system calls, and answers with the error number of the one that fails. */
function attempt(reply: { error(errno: number): void }, calls: () => void): void {
  try {
    calls();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    reply.error(-errno);
  }
}

/** SETATTR: chmod, chown, truncate and utimes in one. */
function change(path: string, before: fs.Stats, request: SetattrRequest): void {
  const sets = (field: number): boolean => request.sets(field);
  if (sets(FATTR.MODE)) fs.chmodSync(path, request.mode & 0o7777);
  if (sets(FATTR.UID | FATTR.GID)) {
    const uid = sets(FATTR.UID) ? request.newUid : before.uid;
    const gid = sets(FATTR.GID) ? request.newGid : before.gid;
    fs.lchownSync(path, uid, gid);
  }
  if (sets(FATTR.SIZE)) fs.truncateSync(path, request.size);
  if (sets(FATTR.ATIME | FATTR.MTIME)) {
    const atime = request.atime + request.atimensec / 1e9;
    const mtime = request.mtime + request.mtimensec / 1e9;
    fs.lutimesSync(
      path,
      sets(FATTR.ATIME) ? atime : before.atimeMs / 1000,
      sets(FATTR.MTIME) ? mtime : before.mtimeMs / 1000,
    );
  }
}

export class Mirror implements FuseHandler {
  readonly #root: string;
  readonly #nodes: Nodes;
  /** Open folders: what they held when they were opened. */
  readonly #listings = new Map<number, readonly Named[]>();
  #nextListing = 1;

  constructor(root: string) {
    this.#root = root;
    this.#nodes = new Nodes(root, fs.lstatSync(root).ino);
  }

  #stat(id: number): fs.Stats {
    const path = this.#nodes.path(id);
    return this.#nodes.isNamed(id) ? fs.lstatSync(path) : fs.statSync(path);
  }

  #entry(path: string): EntryOut {
    const attr = toAttr(fs.lstatSync(path));
    const nodeid = this.#nodes.lookUp(path, attr.ino);
    return { nodeid, generation: 0, attr, entryValidMs: VALID_MS, attrValidMs: VALID_MS };
  }

  /** The entry of a file that was just made, which is to belong to who asked for it. */
  #made(path: string, { uid, gid }: FuseRequest): EntryOut {
    if (process.geteuid?.() === 0) fs.lchownSync(path, uid, gid);
    return this.#entry(path);
  }

  lookup({ nodeid, name }: NameRequest, reply: LookupReply): void {
    attempt(reply, () => reply.entry(this.#entry(this.#nodes.child(nodeid, name))));
  }

  forget(nodeid: number, nlookup: number): void {
    this.#nodes.forget(nodeid, nlookup);
  }

  getattr({ nodeid }: FuseRequest, reply: AttrReply): void {
    attempt(reply, () => {
      reply.attr({ attr: toAttr(this.#stat(nodeid)), attrValidMs: VALID_MS });
    });
  }

  setattr(request: SetattrRequest, reply: AttrReply): void {
    attempt(reply, () => {
      const { nodeid } = request;
      change(this.#nodes.path(nodeid), this.#stat(nodeid), request);
      reply.attr({ attr: toAttr(this.#stat(nodeid)), attrValidMs: VALID_MS });
    });
  }

  statfs(_request: FuseRequest, reply: StatfsReply): void {
    attempt(reply, () => {
      const { blocks, bfree, bavail, files, ffree, bsize } = fs.statfsSync(this.#root);
      const sizes = { bsize, frsize: bsize, namelen: 255 };
      reply.statfs({ blocks, bfree, bavail, files, ffree, ...sizes });
    });
  }

  mkdir(request: MkdirRequest, reply: EntryReply): void {
    attempt(reply, () => {
      const path = this.#nodes.child(request.nodeid, request.name);
      fs.mkdirSync(path, { mode: request.mode });
      reply.entry(this.#made(path, request));
    });
  }

  symlink(request: SymlinkRequest, reply: EntryReply): void {
    attempt(reply, () => {
      const path = this.#nodes.child(request.nodeid, request.name);
      fs.symlinkSync(request.target, path);
      reply.entry(this.#made(path, request));
    });
  }

  link(request: LinkRequest, reply: EntryReply): void {
    attempt(reply, () => {
      const path = this.#nodes.child(request.nodeid, request.name);
      fs.linkSync(this.#nodes.path(request.oldnodeid), path);
      reply.entry(this.#entry(path));
    });
  }

  readlink({ nodeid }: FuseRequest, reply: TextReply): void {
    attempt(reply, () => reply.text(fs.readlinkSync(this.#nodes.path(nodeid))));
  }

  unlink({ nodeid, name }: NameRequest, reply: EmptyReply): void {
    attempt(reply, () => {
      const path = this.#nodes.child(nodeid, name);
      fs.unlinkSync(path);
      this.#nodes.drop(path);
      reply.ok();
    });
  }

  rmdir({ nodeid, name }: NameRequest, reply: EmptyReply): void {
    attempt(reply, () => {
      const path = this.#nodes.child(nodeid, name);
      fs.rmdirSync(path);
      this.#nodes.drop(path);
      reply.ok();
    });
  }

  rename({ nodeid, name, newdir, newname }: RenameRequest, reply: EmptyReply): void {
    attempt(reply, () => {
      const source = this.#nodes.child(nodeid, name);
      const target = this.#nodes.child(newdir, newname);
      fs.renameSync(source, target);
      this.#nodes.move(source, target);
      reply.ok();
    });
  }

  create(request: CreateRequest, reply: CreateReply): void {
    attempt(reply, () => {
      const path = this.#nodes.child(request.nodeid, request.name);
      const { O_RDWR, O_CREAT, O_EXCL } = fs.constants;
      const flags = O_RDWR | O_CREAT | (request.flags & O_EXCL);
      const fh = fs.openSync(path, flags, request.mode & 0o7777);
      const entry = this.#made(path, request);
      this.#nodes.addHandle(entry.nodeid, fh);
      reply.create(entry, { fh, openFlags: 0, backingId: 0 });
    });
  }

  open({ nodeid, flags }: OpenRequest, reply: OpenReply): void {
    attempt(reply, () => {
      // The kernel does the rest: it truncates, and sends an offset with every write.
      const fh = fs.openSync(this.#nodes.path(nodeid), flags & O_ACCMODE);
      this.#nodes.addHandle(nodeid, fh);
      reply.open({ fh, openFlags: 0, backingId: 0 });
    });
  }

  read({ fh, offset, size }: ReadRequest, reply: DataReply): void {
    attempt(reply, () => {
      reply.data(fs.readSync(fh, reply.bytes, reply.dataStart, size, offset));
    });
  }

  write({ fh, offset, size, buffer, dataStart }: WriteRequest, reply: WriteReply): void {
    attempt(reply, () => {
      reply.written(fs.writeSync(fh, buffer.bytes, dataStart, size, offset));
    });
  }

  fsync({ fh, isDataOnly }: FsyncRequest, reply: EmptyReply): void {
    attempt(reply, () => {
      if (isDataOnly) fs.fdatasyncSync(fh);
      else fs.fsyncSync(fh);
      reply.ok();
    });
  }

  release({ nodeid, fh }: ReleaseRequest, reply: EmptyReply): void {
    fs.closeSync(fh);
    this.#nodes.removeHandle(nodeid, fh);
    reply.ok();
  }

  opendir({ nodeid }: OpenRequest, reply: OpenReply): void {
    attempt(reply, () => {
      const dirents = fs.readdirSync(this.#nodes.path(nodeid), { withFileTypes: true });
      const fh = this.#nextListing++;
      this.#listings.set(fh, [...DOTS, ...dirents.map(toNamed)]);
      reply.open({ fh, openFlags: 0, backingId: 0 });
    });
  }

  readdir({ fh, offset }: ReadRequest, reply: DirentReply): void {
    for (const [index, named] of this.#listings.get(fh)!.entries()) {
      if (index < offset) continue;
      if (!reply.add({ ...named, ino: UNKNOWN_INO, off: index + 1 })) break;
    }
    reply.dirents();
  }

  releasedir({ fh }: ReleaseRequest, reply: EmptyReply): void {
    this.#listings.delete(fh);
    reply.ok();
  }
}
