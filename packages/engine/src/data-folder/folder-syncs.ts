// The disk as the engine uses it, with one addition: a sync of a folder that fails is told.
//
// A failed sync is final. What it should have made durable may never become so, and no later sync
// says anything of it: names of segments, of checkpoints, of whole databases. So nothing is
// accepted any more, as when the log itself cannot be synced.

import { type Disk, DiskError } from '@skein/host';

export function watchFolderSyncs(disk: Disk, onFailure: (error: DiskError) => void): Disk {
  return {
    open: (op, path, mode) => disk.open(op, path, mode),
    rename: (op, from, to) => disk.rename(op, from, to),
    remove: (op, path) => disk.remove(op, path),
    removeDirectory: (op, path) => disk.removeDirectory(op, path),
    makeDirectory: (op, path) => disk.makeDirectory(op, path),
    list: (op, path) => disk.list(op, path),
    stat: (op, path) => disk.stat(op, path),
    space: (op, path) => disk.space(op, path),
    syncDirectory: (op, path) => {
      try {
        disk.syncDirectory(op, path);
      } catch (error) {
        if (error instanceof DiskError) onFailure(error);
        throw error;
      }
    },
  };
}
