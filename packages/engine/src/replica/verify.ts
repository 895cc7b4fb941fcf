// Whether what a primary has sent is the next transaction of a database: all of its checksums, and
// that it begins where the database stands. What passes leads to a state that the primary had.
//
// A file whose first TXID is 1 has every page, and makes the database anew whatever stands there.

import { assert } from '@skein/bytes';
import {
  type ByteSource,
  type Checksum,
  CHECKSUM_FLAG,
  DatabaseChecksum,
  formatChecksum,
  formatPosition,
  formatTxid,
  hasChecksums,
  isSnapshot,
  lockPgno,
  type LtxHeader,
  LtxFormatError,
  LtxReader,
  type Txid,
} from '@skein/ltx';

import type { Database } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import { EngineError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import { PageSums } from '../pages/page-sums.ts';

/** A step handles this many bytes of pages: about 5 ms. */
const STEP_BYTES = 4 * 1024 * 1024;

export interface VerifiedTransaction {
  readonly header: LtxHeader;
  /** The state to which it leads; its LSN is known when it is in the log. */
  readonly next: Omit<DatabaseState, 'lsn'>;
  /** Its pages, ascending, and the halves of their checksums, lower first. */
  readonly pgnos: Uint32Array;
  readonly checksums: Uint32Array;
  readonly sizeBytes: number;
}

/**
 * `sizeBytes`: of the file; 0 if that is not known. Throws EngineError: POSITION_MISMATCH,
 * RECEIVED_CORRUPT, IMAGE_PAGE_SIZE.
 */
export function* verifyReceived(
  database: Database,
  source: ByteSource,
  sizeBytes = 0,
): Job<VerifiedTransaction> {
  try {
    return yield* verify(database, source, sizeBytes);
  } catch (cause) {
    if (!(cause instanceof LtxFormatError)) throw cause;
    const message = `Cannot take a transaction of ${database.name}: ${cause.message}`;
    throw new EngineError('RECEIVED_CORRUPT', message, { cause });
  }
}

function* verify(
  database: Database,
  source: ByteSource,
  sizeBytes: number,
): Job<VerifiedTransaction> {
  const reader = new LtxReader(source, { version: 1, sizeBytes });
  const { header } = reader;
  assert(hasChecksums(header), 'A file of version 1 has checksums');
  assertFollows(database, header);
  const pages = new PageList(database, header);
  let stepBytes = 0;
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    pages.add(page.pgno, page.checksumHi, page.checksumLo);
    stepBytes += header.pageSize;
    if (stepBytes >= STEP_BYTES) {
      yield;
      stepBytes = 0;
    }
  }
  const checksum = reader.trailer.postApplyChecksum;
  const actual = header.commit === 0 ? CHECKSUM_FLAG : pages.finish();
  if (checksum !== actual) throw otherChecksum(database, header, { checksum, actual });
  return {
    header,
    next: {
      pageSize: header.commit === 0 ? undefined : header.pageSize,
      pageCount: header.commit,
      txid: header.maxTxid,
      checksum,
    },
    pgnos: pages.pgnos,
    checksums: pages.checksums,
    sizeBytes: reader.sizeBytes,
  };
}

/** Both positions are named: whoever reads the message has to know who is ahead. */
function assertFollows({ name, state }: Database, header: LtxHeader): void {
  if (isSnapshot(header)) return;
  const { minTxid, preApplyChecksum, pageSize } = header;
  const follows = minTxid === state.txid + 1n && preApplyChecksum === state.checksum;
  if (!follows) {
    const begins = `${formatTxid((minTxid - 1n) as Txid)}/${formatChecksum(preApplyChecksum)}`;
    throw new EngineError(
      'POSITION_MISMATCH',
      `Cannot apply a transaction to ${name}: it begins at ${begins}, ` +
        `the database is at ${formatPosition(state)}`,
      { hint: 'The database heals itself with a snapshot of the primary' },
    );
  }
  if (state.pageSize === undefined || state.pageSize === pageSize) return;
  const message = `Cannot apply a transaction to ${name}: its pages have ${pageSize} bytes`;
  throw new EngineError('IMAGE_PAGE_SIZE', message);
}

function otherChecksum(
  { name, state }: Database,
  { maxTxid }: LtxHeader,
  sums: { readonly checksum: Checksum; readonly actual: Checksum },
): EngineError {
  return new EngineError(
    'POSITION_MISMATCH',
    `Cannot apply transaction ${formatTxid(maxTxid)} to ${name}: it leads from ` +
      `${formatPosition(state)} to checksum ${formatChecksum(sums.actual)}, ` +
      `the primary has ${formatChecksum(sums.checksum)}`,
    { hint: 'The database heals itself with a snapshot of the primary' },
  );
}

/** The pages of a transaction, and what they make of the checksum of the database. */
class PageList {
  readonly #database: Database;
  readonly #header: LtxHeader;
  readonly #sum: DatabaseChecksum;
  /** Pages of the database that it keeps or replaces. */
  readonly #oldCount: number;
  readonly #pages = new PageSums(16);

  constructor(database: Database, header: LtxHeader) {
    this.#database = database;
    this.#header = header;
    const isNew = isSnapshot(header);
    this.#sum = isNew ? new DatabaseChecksum() : new DatabaseChecksum(database.state.checksum);
    this.#oldCount = isNew ? 0 : database.state.pageCount;
  }

  get pgnos(): Uint32Array {
    return this.#pages.pgnos;
  }

  get checksums(): Uint32Array {
    return this.#pages.checksums;
  }

  add(pgno: number, hi: number, lo: number): void {
    if (pgno <= this.#oldCount) this.#takeOut(pgno);
    this.#sum.toggle(hi, lo);
    this.#pages.add(pgno, hi, lo);
  }

  finish(): Checksum {
    const { commit, pageSize } = this.#header;
    const lock = lockPgno(pageSize);
    for (let pgno = commit + 1; pgno <= this.#oldCount; pgno++) {
      if (pgno !== lock) this.#takeOut(pgno);
    }
    return this.#sum.value;
  }

  #takeOut(pgno: number): void {
    const { checksums } = this.#database;
    this.#sum.toggle(checksums.hi(pgno), checksums.lo(pgno));
  }
}
