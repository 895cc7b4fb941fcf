// An import: a file becomes the content of a database, while the node serves others.

import { openImage } from '../commit/image.ts';
import type { EngineContext } from '../context.ts';
import type { FileOwner } from '../data-folder/owner-file.ts';
import type { Job } from '../jobs/jobs.ts';
import type { DatabaseFiles } from './database-files.ts';
import type { Store } from './store.ts';

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
