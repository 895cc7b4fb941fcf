// An export: a snapshot of a database goes to a file, while the node serves others.

import type { Disk, DiskFile } from '@skein/host';

import type { DatabaseState } from '../database/database-state.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Snapshot } from './snapshot.ts';

/** So much is written in one step; a request that comes meanwhile waits for no more. */
const STEP_BYTES = 1024 * 1024;

/** Gets the bytes written and the bytes of the whole file. */
export type OnTransfer = (doneBytes: number, totalBytes: number) => void;

/** Writes a snapshot to a new file, and closes it. Returns the state that was written. */
export function* exportFile(
  disk: Disk,
  snapshot: Snapshot,
  path: string,
  onTransfer?: OnTransfer,
): Job<DatabaseState> {
  try {
    const file = disk.open('export.create', path, 'create');
    try {
      yield* writePages(snapshot, file, onTransfer);
    } finally {
      file.close();
    }
    return snapshot.state;
  } finally {
    snapshot.close();
  }
}

function* writePages(snapshot: Snapshot, file: DiskFile, onTransfer?: OnTransfer): Job<void> {
  const { pageSize } = snapshot;
  const totalBytes = snapshot.state.pageCount * pageSize;
  const buffer = new Uint8Array(Math.min(STEP_BYTES, totalBytes));
  for (let written = 0; written < totalBytes;) {
    let filled = 0;
    while (filled < buffer.length && snapshot.readPage(buffer, filled)) filled += pageSize;
    file.write('export.write', buffer, 0, filled, written);
    written += filled;
    onTransfer?.(written, totalBytes);
    yield;
  }
}
