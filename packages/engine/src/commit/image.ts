// A whole database as one file: what is copied in, imported, or renamed into place.

import type { DiskFile } from '@skein/host';
import {
  bumpChangeCounter,
  bumpSchemaCookie,
  databasePageCount,
  decodeDatabaseHeader,
  DATABASE_HEADER_SIZE,
  type DatabaseHeader,
  setHeaderMode,
} from '@skein/sqlite-file';

import { EngineError } from '../errors.ts';
import type { PageSource } from './transaction.ts';

export interface DatabaseImage {
  readonly file: DiskFile;
  readonly header: DatabaseHeader;
  readonly pageCount: number;
}

/** Throws EngineError unless the file is a whole SQLite database. */
export function openImage(file: DiskFile, name: string): DatabaseImage {
  const bytes = new Uint8Array(DATABASE_HEADER_SIZE);
  const count = file.read('image.read', bytes, 0, bytes.length, 0);
  const sizeBytes = file.size('image.size');
  try {
    const header = decodeDatabaseHeader(bytes.subarray(0, count));
    const pageCount = databasePageCount(header, sizeBytes);
    if (sizeBytes !== pageCount * header.pageSize) {
      const expected = `${pageCount} pages of ${header.pageSize}`;
      throw new Error(`it has ${sizeBytes} bytes, its header says ${expected}`);
    }
    return { file, header, pageCount };
  } catch (cause) {
    throw new EngineError(
      'IMAGE_FORMAT',
      `Cannot store ${name}: it is no whole SQLite database (${(cause as Error).message})`,
      { cause, hint: 'Copy the file again, or export a database with VACUUM INTO' },
    );
  }
}

/** How the first page has to look so that connections to what was there before notice. */
export interface ImagePatch {
  /** Of the database that the image replaces. */
  readonly changeCounter: number;
  readonly schemaCookie: number;
  /** Clients use a WAL and will go on with it. */
  readonly isWal: boolean;
}

/** The pages of an image, the first one changed if `patch` says so. */
export function imageSource(image: DatabaseImage, patch: ImagePatch | undefined): PageSource {
  const { file, header, pageCount } = image;
  const { pageSize } = header;
  return {
    pages: () => allPages(pageCount),
    view: (pgno, buffer) => {
      const page = buffer.subarray(0, pageSize);
      file.read('image.read', page, 0, pageSize, (pgno - 1) * pageSize);
      if (pgno === 1 && patch !== undefined) applyPatch(page, pageCount, patch);
      return page;
    },
  };
}

function allPages(pageCount: number): Uint32Array {
  const pages = new Uint32Array(pageCount);
  for (let n = 0; n < pageCount; n++) pages[n] = n + 1;
  return pages;
}

/**
 * A connection drops its page cache when the change counter differs, and its statements when the
 * schema cookie does: both must be other than they are now, whatever the image has.
 */
function applyPatch(page: Uint8Array, pageCount: number, patch: ImagePatch): void {
  bumpChangeCounter(page, pageCount, patch.changeCounter);
  bumpSchemaCookie(page, patch.schemaCookie);
  if (patch.isWal) setHeaderMode(page, 'wal');
}
