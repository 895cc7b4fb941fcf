// The attributes of files and of the folder, as stat(2) shows them.

import type { FileOwner } from '@skein/engine';
import type { FuseAttr } from '@skein/fuse';

import { type MountNode, ROOT_ID } from './nodes.ts';

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const BLOCK_BYTES = 512;
const IO_BYTES = 4096;

/**
 * The kernel may believe what it was told until it is told otherwise; what clients change it sees
 * itself, and of what the engine changes it is notified.
 */
export const VALID_MS = 3_600_000;

export interface Validity {
  readonly entryValidMs: number;
  readonly attrValidMs: number;
}

/**
 * Positions change with every transaction, and come and go with their databases. The WAL and its
 * index grow by the node's own hand on a replica: SQLite asks for their size when they must have
 * grown, and no more often.
 */
export function validity({ kind }: MountNode, isReplica: boolean): Validity {
  if (kind === 'position') return { entryValidMs: 0, attrValidMs: 0 };
  const isGrowing = isReplica && (kind === 'wal' || kind === 'shm');
  return { entryValidMs: VALID_MS, attrValidMs: isGrowing ? 0 : VALID_MS };
}

const ALL_MAY_WRITE = 0o222;

/** Nobody can write what a replica follows, but for the marks that readers set in the wal-index. */
export function shownByReplica({ kind }: MountNode, owner: FileOwner): FileOwner {
  return kind === 'shm' ? owner : withoutWriting(owner);
}

export function withoutWriting(owner: FileOwner): FileOwner {
  return { ...owner, mode: owner.mode & ~ALL_MAY_WRITE };
}

export function fileAttributes(node: MountNode, owner: FileOwner, size: number): FuseAttr {
  const { kind } = node;
  const mode = kind === 'position' ? owner.mode & 0o444 : owner.mode & 0o777;
  return attributes({
    ino: node.id,
    size,
    mode: S_IFREG | mode,
    nlink: node.isDetached ? 0 : 1,
    uid: owner.uid,
    gid: owner.gid,
    modifiedMs: node.modifiedMs,
  });
}

export function folderAttributes(
  owner: FileOwner,
  modifiedMs: number,
  ino: number = ROOT_ID,
): FuseAttr {
  const mode = S_IFDIR | (owner.mode & 0o7777);
  const { uid, gid } = owner;
  return attributes({ ino, size: 0, mode, nlink: 2, uid, gid, modifiedMs });
}

export interface StatusFileFacts {
  readonly size: number;
  readonly owner: Pick<FileOwner, 'uid' | 'gid'>;
  readonly modifiedMs: number;
}

/** Of a file that tells of the node: whoever sees the mount may read it, and nobody write it. */
export function statusFileAttributes(ino: number, facts: StatusFileFacts): FuseAttr {
  const { size, owner, modifiedMs } = facts;
  const { uid, gid } = owner;
  return attributes({ ino, size, mode: S_IFREG | 0o444, nlink: 1, uid, gid, modifiedMs });
}

interface Facts {
  readonly ino: number;
  readonly size: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
}

function attributes({ ino, size, mode, nlink, uid, gid, modifiedMs }: Facts): FuseAttr {
  const seconds = Math.floor(modifiedMs / 1000);
  const nanoseconds = Math.floor(modifiedMs - seconds * 1000) * 1_000_000;
  return {
    ino,
    size,
    blocks: Math.ceil(size / BLOCK_BYTES),
    atime: seconds,
    mtime: seconds,
    ctime: seconds,
    atimensec: nanoseconds,
    mtimensec: nanoseconds,
    ctimensec: nanoseconds,
    mode,
    nlink,
    uid,
    gid,
    rdev: 0,
    blksize: IO_BYTES,
  };
}
