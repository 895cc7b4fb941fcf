// The two folders of a node before it starts: that they can be what they are to be.

import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import { CodedError } from '@skein/bytes';
import type { FileOwner } from '@skein/engine';

import { isLitefsFolder, LITEFS_FOLDER_HINT } from '../config/litefs-folder.ts';
import type { MountConfig } from '../config/mount-config.ts';

/** The two folders cannot be used together, or not at all. */
export class FolderError extends CodedError<'FOLDER_NOT_USABLE' | 'FOLDERS_OVERLAP'> {
  override readonly name = 'FolderError';
}

/**
 * Makes the folders that are missing. Returns whose the mountpoint is: the mount will have the same
 * owner and mode, so that who may use the folder may use the mount.
 */
export function prepareFolders({ mountpoint, dataFolder }: MountConfig): FileOwner {
  if (doOverlap(mountpoint, dataFolder)) {
    throw new FolderError(
      'FOLDERS_OVERLAP',
      `Cannot mount on ${mountpoint} with the data in ${dataFolder}: one lies in the other`,
      { hint: 'Choose a folder for the data that is not part of the mount' },
    );
  }
  if (isLitefsFolder(dataFolder)) {
    const message = `Cannot use data folder ${dataFolder}: it is one of LiteFS`;
    throw new FolderError('FOLDER_NOT_USABLE', message, { hint: LITEFS_FOLDER_HINT });
  }
  makeFolder(mountpoint);
  // Of databases of others, only whoever runs the node may read the files.
  makeFolder(dataFolder, 0o700);
  return ownerOf(mountpoint);
}

/** Whether two folders are the same, or one lies in the other, links or not. */
export function doOverlap(one: string, other: string): boolean {
  const [a, b] = [realPath(one), realPath(other)];
  return contains(a, b) || contains(b, a);
}

function makeFolder(path: string, mode?: number): void {
  try {
    mkdirSync(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The mount of a daemon that died: mounting detaches it.
    if (code === 'EEXIST' || code === 'ENOTCONN') return;
    throw new FolderError('FOLDER_NOT_USABLE', `Cannot make folder ${path}: ${code}`, {
      hint: 'Make it as a user who may, or choose another one',
    });
  }
}

function ownerOf(path: string): FileOwner {
  try {
    const { uid, gid, mode } = statSync(path);
    return { uid, gid, mode: mode & 0o7777 };
  } catch {
    return { uid: process.getuid!(), gid: process.getgid!(), mode: 0o755 };
  }
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || !(way === '..' || way.startsWith('../'));
}

/** Without symbolic links, as far as the path exists. */
function realPath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realPath(parent), relative(parent, absolute));
  }
}
