// Puts one transaction of the log where readers find it: as frames into the WAL, or, where nobody
// reads the database yet, straight into its file.

import { type ByteSource, Crc64 } from '@skein/bytes';
import { isSnapshot, LtxReader } from '@skein/ltx';

import type { Database } from '../database/database.ts';
import { type DatabaseState, stateAfter } from '../database/database-state.ts';
import type { Job } from '../jobs/jobs.ts';
import type { ReplicaWal } from './replica-wal.ts';
import { RunWriter } from './run-writer.ts';
import type { WalWriter } from './wal-writer.ts';

/** A step handles this many bytes of pages: about 5 ms. */
const STEP_BYTES = 4 * 1024 * 1024;

/** A transaction in the log, whose checksums were verified when it was received. */
export interface LoggedLtx {
  readonly lsn: number;
  readonly source: ByteSource;
  /** Length of the file; 0: not known. */
  readonly sizeBytes: number;
}

/** What the frames come behind. */
export interface ApplyTarget {
  readonly database: Database;
  readonly wal: ReplicaWal;
  readonly writer: WalWriter;
}

/**
 * Writes a transaction as frames. Of a whole database only the pages that differ: readers keep what
 * they have, and the WAL stays short.
 */
export function* writeFrames(
  target: ApplyTarget,
  { lsn, source, sizeBytes }: LoggedLtx,
): Job<void> {
  const { writer } = target;
  const reader = new LtxReader(source, { version: 1, sizeBytes });
  const { header } = reader;
  const isWhole = isSnapshot(header);
  const own = new Uint8Array(header.pageSize);
  let stepBytes = 0;
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    const { pgno, bytes, start } = page;
    const isSame = isWhole && hasPage(target, pgno, bytes.subarray(start, page.end), own);
    if (!isSame) writer.page(page);
    stepBytes += header.pageSize;
    if (stepBytes >= STEP_BYTES) {
      yield;
      stepBytes = 0;
    }
  }
  // A transaction needs a frame that ends it, whatever is in that.
  if (writer.openCount === 0) repeatFirstPage(target, own);
  writer.commit(stateAfter(header, reader.trailer, lsn));
}

/** Makes the file of a database that nobody sees yet. Throws DiskError. */
export function* writeFile(database: Database, { lsn, source }: LoggedLtx): Job<DatabaseState> {
  const reader = new LtxReader(source, { version: 1 });
  const { pageSize, commit } = reader.header;
  const { file } = database;
  const writer = new RunWriter(commit * pageSize, (bytes, length, position) =>
    file.write('database.write', bytes, 0, length, position),
  );
  let stepBytes = 0;
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    const bytes = page.bytes.subarray(page.start, page.end);
    writer.put((page.pgno - 1) * pageSize, pageSize).set(bytes);
    stepBytes += pageSize;
    if (stepBytes >= STEP_BYTES) {
      yield;
      stepBytes = 0;
    }
  }
  writer.flush();
  const sizeBytes = commit * pageSize;
  if (database.fileSize !== sizeBytes) file.truncate('database.truncate', sizeBytes);
  return stateAfter(reader.header, reader.trailer, lsn);
}

/** Whether readers have these very bytes; `own` is room for a page. */
function hasPage(target: ApplyTarget, pgno: number, page: Uint8Array, own: Uint8Array): boolean {
  return readShown(target, pgno, own) && Buffer.compare(own, page) === 0;
}

function readShown({ database, wal }: ApplyTarget, pgno: number, into: Uint8Array): boolean {
  if (pgno > wal.state.pageCount) return false;
  if (wal.readPage(pgno, into)) return true;
  const count = database.readFile(into, 0, into.length, (pgno - 1) * into.length);
  into.fill(0, count);
  return true;
}

function repeatFirstPage(target: ApplyTarget, page: Uint8Array): void {
  readShown(target, 1, page);
  const crc = new Crc64();
  crc.updateU32be(1);
  crc.update(page);
  const checksumHi = (crc.hi | 0x8000_0000) >>> 0;
  target.writer.page({ pgno: 1, bytes: page, start: 0, checksumHi, checksumLo: crc.lo });
}
