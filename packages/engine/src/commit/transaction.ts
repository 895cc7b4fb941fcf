// From changed pages to a transaction: which pages differ, what the checksum of the database
// becomes, and the LTX file that says so.
//
// Invariant: the checksum in the resulting state is the exclusive-or over all pages 1..pageCount
// but the lock page (LTX), provided that it was in the state before.

import { assert, type ByteSink, Crc64 } from '@skein/bytes';
import {
  CHECKSUM_FLAG,
  DatabaseChecksum,
  LtxEncoder,
  makeHeader,
  NO_CHECKSUM,
  rawFileSize,
  type Txid,
} from '@skein/ltx';
import { lockPgno, PAGE_SIZE_MAX } from '@skein/sqlite-file';

import type { CommittedPages, Database } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import type { Job } from '../jobs/jobs.ts';
import type { PageChecksums } from '../pages/page-checksums.ts';
import { PageSums } from '../pages/page-sums.ts';

/** Where the pages of a transaction are until it is committed. */
export interface PageSource {
  /** The pages it has, ascending. */
  pages(): Uint32Array;
  /**
   * The bytes of a page until the next call: a view of where it is, or of `buffer`, into which it
   * was read. Undefined for a page that it does not have.
   */
  view(pgno: number, buffer: Uint8Array): Uint8Array | undefined;
}

/** The part of a WAL that a transaction came in, for the LTX header. */
export interface WalPlace {
  readonly offset: number;
  readonly size: number;
  readonly salt1: number;
  readonly salt2: number;
}

export interface TransactionFields {
  readonly pageSize: number;
  /** Size of the database afterwards. */
  readonly pageCount: number;
  /**
   * Pages of the database that the transaction left in place: those above that are not in the
   * source are zeros, even where the database had other bytes before.
   */
  readonly keptPageCount: number;
  readonly timestampMs: number;
  readonly nodeId: bigint;
  readonly wal?: WalPlace;
}

export interface PreparedTransaction extends CommittedPages {
  readonly database: Database;
  /** Size of the database before, in pages. */
  readonly pageCountBefore: number;
  readonly ltxBytes: number;
  /** Writes the LTX file, in steps. */
  readonly write: (sink: ByteSink) => Job<void>;
  /** The bytes of a page that changes, as PageSource.view. */
  readonly view: (pgno: number, buffer: Uint8Array) => Uint8Array;
}

/** A step of a long job handles this many bytes of pages: about 5 ms. */
const STEP_BYTES = 4 * 1024 * 1024;

const ZERO_PAGE = new Uint8Array(PAGE_SIZE_MAX);

/** Where a page is read to be looked at, and its checksum; nothing else happens meanwhile. */
const viewedPage = new Uint8Array(PAGE_SIZE_MAX);
const pageCrc = new Crc64();

/**
 * Compares the pages of `source` with what the database has. Undefined when nothing differs: a
 * transaction that was rolled back, or changed nothing.
 */
export function* prepareTransaction(
  database: Database,
  source: PageSource,
  fields: TransactionFields,
): Job<PreparedTransaction | undefined> {
  const { state } = database;
  const { pageSize, pageCount } = fields;
  assert(state.pageSize === undefined || state.pageSize === pageSize, 'The page size differs');
  assert(pageCount > 0, 'A transaction leaves no page');
  const candidates = withZeroPages(source.pages(), fields);
  const zeros = ZERO_PAGE.subarray(0, pageSize);
  const view = (pgno: number, buffer: Uint8Array): Uint8Array => source.view(pgno, buffer) ?? zeros;

  const changes = new ChangeList(database, pageSize, candidates.length);
  const buffer = viewedPage.subarray(0, pageSize);
  for (let n = 0; n < candidates.length; n++) {
    const pgno = candidates[n]!;
    changes.compare(pgno, view(pgno, buffer));
    if ((n + 1) % (STEP_BYTES / pageSize) === 0) yield;
  }
  changes.dropAbove(pageCount);
  if (changes.count === 0 && pageCount === state.pageCount) return undefined;

  const next = {
    pageSize,
    pageCount,
    txid: (state.txid + 1n) as Txid,
    checksum: changes.checksum,
  };
  const { pgnos, checksums } = changes;
  const ltxBytes = rawFileSize(pgnos.length, pageSize);
  const write = (sink: ByteSink): Job<void> => writeLtx({ sink, state, next, fields, pgnos, view });
  const pageCountBefore = state.pageCount;
  return { database, next, pageCountBefore, pgnos, checksums, ltxBytes, write, view };
}

/** The transaction that drops a database: no pages, and none left. */
export function prepareDrop(
  database: Database,
  fields: Pick<TransactionFields, 'timestampMs' | 'nodeId'>,
): PreparedTransaction {
  const { state } = database;
  const pageSize = state.pageSize!;
  const next = {
    pageSize: undefined,
    pageCount: 0,
    txid: (state.txid + 1n) as Txid,
    checksum: CHECKSUM_FLAG,
  };
  const pgnos = new Uint32Array(0);
  const view = (): never => {
    throw new Error('A dropped database has no pages');
  };
  const all = { ...fields, pageSize, pageCount: 0, keptPageCount: 0 };
  return {
    database,
    next,
    pageCountBefore: state.pageCount,
    pgnos,
    checksums: pgnos,
    ltxBytes: rawFileSize(0, pageSize),
    write: (sink) => writeLtx({ sink, state, next, fields: all, pgnos, view }),
    view,
  };
}

interface LtxSource {
  readonly sink: ByteSink;
  readonly state: DatabaseState;
  readonly next: Omit<DatabaseState, 'lsn'>;
  readonly fields: TransactionFields;
  readonly pgnos: Uint32Array;
  readonly view: (pgno: number, buffer: Uint8Array) => Uint8Array;
}

function* writeLtx({ sink, state, next, fields, pgnos, view }: LtxSource): Job<void> {
  const { pageSize, wal } = fields;
  const header = makeHeader({
    pageSize,
    commit: next.pageCount,
    minTxid: next.txid,
    maxTxid: next.txid,
    timestampMs: fields.timestampMs,
    preApplyChecksum: next.txid === 1n ? NO_CHECKSUM : state.checksum,
    walOffset: wal?.offset ?? 0,
    walSize: wal?.size ?? 0,
    walSalt1: wal?.salt1 ?? 0,
    walSalt2: wal?.salt2 ?? 0,
    nodeId: fields.nodeId,
  });
  const encoder = new LtxEncoder(sink, header);
  const buffer = viewedPage.subarray(0, pageSize);
  for (let n = 0; n < pgnos.length; n++) {
    const pgno = pgnos[n]!;
    encoder.writePage(pgno, view(pgno, buffer));
    if ((n + 1) % (STEP_BYTES / pageSize) === 0) yield;
  }
  encoder.finish(next.checksum);
}

/**
 * The pages that differ from the database's, with their checksums and what follows for the whole.
 */
class ChangeList {
  readonly #database: Database;
  readonly #old: PageChecksums;
  readonly #sum: DatabaseChecksum;
  readonly #changed: PageSums;

  constructor(database: Database, pageSize: number, capacity: number) {
    this.#database = database;
    this.#old = database.checksumsFor(pageSize);
    this.#sum = new DatabaseChecksum(database.state.checksum);
    this.#changed = new PageSums(capacity);
  }

  get count(): number {
    return this.#changed.count;
  }

  get pgnos(): Uint32Array {
    return this.#changed.pgnos;
  }

  /** Lower and upper half for each page. */
  get checksums(): Uint32Array {
    return this.#changed.checksums;
  }

  get checksum(): DatabaseState['checksum'] {
    return this.#sum.value;
  }

  compare(pgno: number, page: Uint8Array): void {
    pageCrc.reset();
    pageCrc.updateU32be(pgno);
    pageCrc.update(page);
    const { lo } = pageCrc;
    const hi = (pageCrc.hi | 0x8000_0000) >>> 0;
    // Also of a page that is new: what the sidecar has is read now, not when it is too late to
    // fail.
    const oldHi = this.#old.hi(pgno);
    const oldLo = this.#old.lo(pgno);
    if (pgno <= this.#database.state.pageCount) {
      // Equal checksums can be made on purpose: only equal bytes are no change.
      if (oldHi === hi && oldLo === lo && this.#database.hasPage(pgno, page)) return;
      this.#sum.toggle(oldHi, oldLo);
    }
    this.#sum.toggle(hi, lo);
    this.#changed.add(pgno, hi, lo);
  }

  /** Takes the pages out that the database had above its new size. */
  dropAbove(pageCount: number): void {
    const { state } = this.#database;
    if (state.pageSize === undefined) return;
    const lock = lockPgno(state.pageSize);
    for (let pgno = pageCount + 1; pgno <= state.pageCount; pgno++) {
      if (pgno !== lock) this.#sum.toggle(this.#old.hi(pgno), this.#old.lo(pgno));
    }
  }
}

/**
 * The pages that may be in the transaction: those of the source up to the new size, and those above
 * what was kept that nobody wrote. SQLite does not write pages that it takes and frees again in one
 * transaction; in the file they are zeros.
 */
function withZeroPages(written: Uint32Array, fields: TransactionFields): Uint32Array {
  const { pageSize, pageCount, keptPageCount } = fields;
  const lock = lockPgno(pageSize);
  let end = written.length;
  while (end > 0 && written[end - 1]! > pageCount) end--;
  const upToSize = written.subarray(0, end);
  const inside = upToSize.includes(lock) ? upToSize.filter((pgno) => pgno !== lock) : upToSize;
  const firstAbove = inside.findIndex((pgno) => pgno > keptPageCount);
  const below = firstAbove === -1 ? inside.length : firstAbove;
  const lockAbove = lock > keptPageCount && lock <= pageCount ? 1 : 0;
  const above = Math.max(pageCount - keptPageCount - lockAbove, 0);
  if (inside.length - below === above) return inside;
  const pages = new Uint32Array(below + above);
  pages.set(inside.subarray(0, below));
  let n = below;
  for (let pgno = keptPageCount + 1; pgno <= pageCount; pgno++)
    if (pgno !== lock) pages[n++] = pgno;
  return pages;
}
