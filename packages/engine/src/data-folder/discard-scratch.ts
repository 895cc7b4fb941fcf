// Gives up a file in the folder `scratch`.

import { type Disk, DiskError, type DiskFile } from '@skein/host';

/** Closes and removes it. One that cannot be removed is removed when the node starts next. */
export function discardScratch(disk: Disk, file: DiskFile): void {
  file.close();
  removeScratch(disk, file.path);
}

/** The same of a file that is closed, or that others still read. */
export function removeScratch(disk: Disk, path: string): void {
  try {
    disk.remove('scratch.remove', path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
