// Who may do what: the check that the kernel would make by mode, user and group. It is made here,
// at opens and changes of names only, because the kernel's (default_permissions) asks for the
// attributes of the folder before each and so makes every transaction two round trips longer.

import { readFileSync } from 'node:fs';

import type { FileOwner } from '@skein/engine';

import { MountError } from './error-numbers.ts';

/** Who makes a request. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

export const MAY_READ = 4;
export const MAY_WRITE = 2;
export const MAY_SEARCH = 1;

const STICKY = 0o1000;

/** Throws EACCES unless the caller may do all of `wanted`. */
export function checkAccess(caller: Caller, owner: FileOwner, wanted: number): void {
  if (caller.uid === 0) return;
  if ((wanted & ~grantedTo(caller, owner)) !== 0) throw new MountError('EACCES');
}

/** Throws EPERM unless the caller may change whose the file is and its mode. */
export function checkOwner(caller: Caller, owner: FileOwner): void {
  if (caller.uid !== 0 && caller.uid !== owner.uid) throw new MountError('EPERM');
}

/** Throws unless the caller may remove or rename a file in a folder. */
export function checkRemoval(caller: Caller, folder: FileOwner, file: FileOwner): void {
  checkAccess(caller, folder, MAY_WRITE | MAY_SEARCH);
  const isSticky = (folder.mode & STICKY) !== 0;
  const isOwner = caller.uid === 0 || caller.uid === folder.uid || caller.uid === file.uid;
  if (isSticky && !isOwner) throw new MountError('EPERM');
}

function grantedTo(caller: Caller, { uid, gid, mode }: FileOwner): number {
  if (caller.uid === uid) return (mode >> 6) & 7;
  const asGroup = (mode >> 3) & 7;
  const asOther = mode & 7;
  if (asGroup === asOther) return asOther;
  return caller.gid === gid || isInGroup(caller.pid, gid) ? asGroup : asOther;
}

/** A request carries one group; the others of the process are in /proc. */
function isInGroup(pid: number, gid: number): boolean {
  try {
    const groups = /^Groups:\t(.*)$/mu.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return groups !== null && groups[1]!.trim().split(' ').includes(String(gid));
  } catch {
    return false;
  }
}
