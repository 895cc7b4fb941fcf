// A database comes from a file, or goes to one, while the node serves others: import and export.

import type { DiskFile } from '@skein/host';

import { openImage } from '../commit/image.ts';
import type { EngineContext } from '../context.ts';
import type { FileOwner } from '../data-folder/owner-file.ts';
import type { DatabaseState } from '../database/database-state.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { DatabaseFiles } from './database-files.ts';
import type { Store } from './store.ts';

/** So much is written in one step; a request that comes meanwhile waits for no more. */
const STEP_BYTES = 1024 * 1024;

export interface ImportOptions {
  readonly name: string;
  /** The file; it stays as it is. */
  readonly path: string;
  /** Whose the database will be if there was none of this name. */
  readonly owner: FileOwner;
}

/** Makes the file the content of a database, in one transaction. Throws EngineError, DiskError. */
export function* importFile(
  context: EngineContext,
  store: Store,
  { name, path, owner }: ImportOptions,
): Job<DatabaseFiles> {
  const file = context.disk.open('import.open', path, 'read');
  try {
    const image = openImage(file, name);
    const isNew = store.findDatabase(name) === undefined;
    const files = store.prepareDatabase(name, owner);
    const replaced = files.replaceWith(image);
    if (replaced !== undefined) yield replaced;
    // The kernel may remember that there was no such name.
    if (isNew) for (const added of [name, `${name}-pos`]) context.kernel.forgetName(added);
    return files;
  } finally {
    file.close();
  }
}

/** Gets the bytes written and the bytes of the whole file. */
export type OnTransfer = (doneBytes: number, totalBytes: number) => void;

/** Writes a snapshot to a new file, and closes it. Returns the state that was written. */
export function* exportFile(
  context: EngineContext,
  snapshot: Snapshot,
  path: string,
  onTransfer?: OnTransfer,
): Job<DatabaseState> {
  try {
    const file = context.disk.open('export.create', path, 'create');
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
