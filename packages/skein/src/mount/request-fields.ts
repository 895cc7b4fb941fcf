// What a request says, in the terms of the engine.

import { existsSync } from 'node:fs';

import { type Access, DATABASE_NAME_BYTES_MAX, type FileOwner, parseFileName } from '@skein/engine';
import {
  FATTR,
  type FuseRequest,
  O_ACCMODE,
  O_RDONLY,
  O_WRONLY,
  type ReadRequest,
  type SetattrRequest,
} from '@skein/fuse';
import type { Clock } from '@skein/host';

import { MountError } from './error-numbers.ts';
import { ROOT_ID } from './nodes.ts';
import { checkOwner } from './permissions.ts';

/** NAME_MAX of Linux. */
export const NAME_BYTES_MAX = 255;

export function nameIn({ nodeid, name }: FuseRequest & { readonly name: string }): string {
  if (nodeid !== ROOT_ID) throw new MountError('ENOTDIR');
  return name;
}

/** No database of SQLite is larger: 2^32 pages of 65536 bytes. Numbers are exact far beyond. */
const FILE_BYTES_MAX = 2 ** 48;

/** Throws EFBIG when a file would have to be longer than any can be to end there. */
export function checkFileEnd(end: number): void {
  if (end > FILE_BYTES_MAX) throw new MountError('EFBIG');
}

/** How much of what is to be read can be there at all. */
export function readableBytes({ offset, size }: ReadRequest): number {
  return offset + size > FILE_BYTES_MAX ? 0 : size;
}

const utf8 = new TextEncoder();

export function checkLength(name: string): void {
  const isDatabase = parseFileName(name).kind === 'database';
  const bytesMax = isDatabase ? DATABASE_NAME_BYTES_MAX : NAME_BYTES_MAX;
  // Only a long name has to be measured.
  if (name.length * 3 <= bytesMax) return;
  if (utf8.encode(name).length > bytesMax) throw new MountError('ENAMETOOLONG');
}

export function accessOf(flags: number): Access {
  const mode = flags & O_ACCMODE;
  if (mode === O_RDONLY) return 'read';
  return mode === O_WRONLY ? 'write' : 'read-write';
}

/** Requests name the thread that makes them. */
export function isThreadOfOurs(pid: number): boolean {
  return existsSync(`/proc/self/task/${pid}`);
}

export function changedOwner(request: SetattrRequest, owner: FileOwner): FileOwner {
  checkOwner(request, owner);
  const uid = request.sets(FATTR.UID) ? request.newUid : owner.uid;
  const gid = request.sets(FATTR.GID) ? request.newGid : owner.gid;
  const mode = request.sets(FATTR.MODE) ? request.mode & 0o7777 : owner.mode;
  // Giving a file away is root's alone.
  if (request.uid !== 0 && uid !== owner.uid) throw new MountError('EPERM');
  return { uid, gid, mode };
}

export function newTimeMs(request: SetattrRequest, clock: Clock): number {
  if (request.sets(FATTR.MTIME_NOW)) return clock.wallMs();
  return request.mtime * 1000 + request.mtimensec / 1e6;
}
