// The data folder of a node: what lies where, and that only one process uses it.
//
//   lock           held exclusively for as long as the process lives
//   node.json      who the node is
//   log/           the log (log/segment-header.ts, log/log-bounds.ts)
//   dbs/<name>/    a database: database, checksums, checkpoint.json, owner.json
//   damaged/       originals of what a repair has replaced (check/originals.ts)
//   scratch/       what nobody needs after a crash; emptied at start

import type { Disk, DiskFile, FileLocks } from '@skein/host';

import { EngineError } from '../errors.ts';

export interface DataFolder {
  readonly path: string;
  readonly log: string;
  readonly databases: string;
  readonly scratch: string;
  readonly lock: DiskFile;
}

/** Makes the folder if there is none and takes possession of it. Throws DATA_DIRECTORY_IN_USE. */
export function openDataFolder(disk: Disk, locks: FileLocks, path: string): DataFolder {
  makeNamedFolder(disk, path);
  const folder = lockDataFolder(disk, locks, path);
  disk.removeDirectory('folder.scratch.empty', folder.scratch);
  for (const part of [folder.log, folder.databases, folder.scratch]) {
    disk.makeDirectory('folder.make', part);
  }
  disk.syncDirectory('folder.sync', path);
  return folder;
}

/** Takes possession of a folder that exists and changes nothing in it. */
export function lockDataFolder(disk: Disk, locks: FileLocks, path: string): DataFolder {
  const lock = disk.open('folder.lock', `${path}/lock`, 'open-or-create');
  // A simulated disk belongs to one test and has no descriptors.
  if (lock.fd !== undefined && !locks.tryLockFile(lock.fd)) {
    lock.close();
    throw new EngineError('DATA_DIRECTORY_IN_USE', `Cannot use data folder ${path}: it is in use`, {
      hint: 'Another node runs on it. Stop that one, or give this one a folder of its own',
    });
  }
  return {
    path,
    log: `${path}/log`,
    databases: `${path}/dbs`,
    scratch: `${path}/scratch`,
    lock,
  };
}

/** Makes a folder, and those above it that are missing; their names survive a power cut. */
function makeNamedFolder(disk: Disk, path: string): void {
  const parent = parentOf(path);
  if (disk.stat('folder.stat', path) === undefined) {
    if (disk.stat('folder.stat', parent) === undefined) makeNamedFolder(disk, parent);
    disk.makeDirectory('folder.make', path);
  }
  // Also of one that was there: whoever made it may have crashed before he came to this.
  disk.syncDirectory('folder.name', parent);
}

function parentOf(path: string): string {
  const end = path.replace(/\/+$/u, '').lastIndexOf('/');
  if (end === -1) return '.';
  return end === 0 ? '/' : path.slice(0, end);
}
