// Serves the kernel's requests for the status files and their folder.
//
// A reader gets the content of the moment when it opened the file, so that what it reads is of one
// piece. Nothing can be changed here, by root neither.

import {
  type AccessRequest,
  type AttrReply,
  type DataReply,
  DIRENT_TYPE,
  type DirentReply,
  type EmptyReply,
  type EntryOut,
  FOPEN,
  type FuseAttr,
  type FuseHandler,
  type FuseRequest,
  type LookupReply,
  type NameRequest,
  O_ACCMODE,
  O_RDONLY,
  type OpenReply,
  type OpenRequest,
  type ReadRequest,
  type ReleaseRequest,
} from '@skein/fuse';
import { ERRNO } from '@skein/host';

import { folderAttributes, statusFileAttributes, VALID_MS } from './attributes.ts';
import { Listing } from './listing.ts';
import { ROOT_ID } from './nodes.ts';
import { MAY_WRITE } from './permissions.ts';
import {
  PRIMARY_NAME,
  STATUS_FOLDER_ID,
  type StatusEntry,
  type StatusFiles,
} from './status-files.ts';

const FOLDER_MODE = 0o555;

export interface StatusFilesHandlerOptions {
  readonly files: StatusFiles;
  /** Whose the mount is. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

interface OpenedContent {
  readonly nodeid: number;
  readonly bytes: Uint8Array;
}

export class StatusFilesHandler implements FuseHandler {
  readonly #files: StatusFiles;
  readonly #owner: { readonly uid: number; readonly gid: number };
  readonly #listing = new Listing();
  readonly #opened = new Map<number, OpenedContent>();
  #nextFh = 1;

  constructor({ files, owner }: StatusFilesHandlerOptions) {
    this.#files = files;
    this.#owner = owner;
  }

  lookup({ nodeid, name }: NameRequest, reply: LookupReply): void {
    const entry = this.#files.find(nodeid, name);
    if (entry === undefined) reply.negativeEntry(entryValidMs(name));
    else reply.entry(this.#entry(entry));
  }

  getattr({ nodeid }: FuseRequest, reply: AttrReply): void {
    reply.attr({ attr: this.#attributes(nodeid), attrValidMs: 0 });
  }

  setattr(_request: FuseRequest, reply: AttrReply): void {
    reply.error(ERRNO.EPERM);
  }

  access({ mask }: AccessRequest, reply: EmptyReply): void {
    if ((mask & MAY_WRITE) === 0) reply.ok();
    else reply.error(ERRNO.EACCES);
  }

  open({ nodeid, flags }: OpenRequest, reply: OpenReply): void {
    if ((flags & O_ACCMODE) !== O_RDONLY) return reply.error(ERRNO.EACCES);
    const fh = this.#nextFh++;
    this.#opened.set(fh, { nodeid, bytes: this.#files.content(nodeid) });
    reply.open({ fh, openFlags: FOPEN.DIRECT_IO | FOPEN.NOFLUSH, backingId: 0 });
  }

  read({ fh, offset, size }: ReadRequest, reply: DataReply): void {
    const { bytes } = this.#opened.get(fh)!;
    const piece = bytes.subarray(offset, offset + size);
    reply.bytes.set(piece, reply.dataStart);
    reply.data(piece.length);
  }

  release({ fh }: ReleaseRequest, reply: EmptyReply): void {
    this.#opened.delete(fh);
    reply.ok();
  }

  readdir({ nodeid, offset }: ReadRequest, reply: DirentReply): void {
    const entries = new Map(this.#files.entries(nodeid).map((entry) => [entry.name, entry]));
    for (const { name, off } of this.#listing.from(offset, entries.keys())) {
      const ino = entries.get(name)?.id ?? (name === '.' ? STATUS_FOLDER_ID : ROOT_ID);
      const type = entries.has(name) ? DIRENT_TYPE.REG : DIRENT_TYPE.DIR;
      if (!reply.add({ name, off, ino, type })) break;
    }
    reply.dirents();
  }

  #entry({ id, name }: StatusEntry): EntryOut {
    return {
      nodeid: id,
      generation: 0,
      attr: this.#attributes(id),
      entryValidMs: entryValidMs(name),
      attrValidMs: 0,
    };
  }

  #attributes(id: number): FuseAttr {
    const modifiedMs = this.#files.modifiedMs(id);
    const owner = this.#owner;
    if (id === STATUS_FOLDER_ID) {
      return folderAttributes({ ...owner, mode: FOLDER_MODE }, modifiedMs, id);
    }
    return statusFileAttributes(id, { size: this.#sizeBytes(id), owner, modifiedMs });
  }

  /**
   * Whoever opens a file and then asks for its size, to read so much, must not be told less than he
   * has opened: meanwhile the content may have become shorter.
   */
  #sizeBytes(id: number): number {
    let sizeBytes = this.#files.content(id).length;
    for (const { nodeid, bytes } of this.#opened.values()) {
      if (nodeid === id) sizeBytes = Math.max(sizeBytes, bytes.length);
    }
    return sizeBytes;
  }
}

/** Of `.primary` the kernel is told when it comes or goes: applications ask for it all the time. */
function entryValidMs(name: string): number {
  return name === PRIMARY_NAME ? VALID_MS : 0;
}
