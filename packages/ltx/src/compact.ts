// Makes one LTX file of several that follow each other: the newest version of every page.
//
// A merge of all inputs by page number, each read once and verified to its end before the output is
// finished. If compact() throws, what went to the sink is of no use.

import { type ByteSink, assert } from '@skein/bytes';

import { NO_CHECKSUM, formatChecksum } from './checksum.ts';
import { LtxEncoder } from './encoder.ts';
import { LtxFormatError } from './errors.ts';
import {
  FLAG_LZ4,
  FLAG_NO_CHECKSUM,
  type LtxHeader,
  type LtxVersion,
  hasChecksums,
  isSnapshot,
  makeHeader,
} from './header.ts';
import { PageOrder } from './page-order.ts';
import type { LtxPage } from './page-block-parser.ts';
import type { LtxReader } from './reader.ts';
import type { LtxTrailer } from './trailer.ts';
import { formatTxid } from './txid.ts';

export interface CompactOptions {
  /** Of the output; 1 unless told. Version 1 needs checksums, which Litestream's files lack. */
  readonly version?: LtxVersion;
  /** Version 1: as one LZ4 frame. */
  readonly compress?: boolean;
  /** Version 3: leave pre- and post-apply checksum out, as Litestream does. */
  readonly omitChecksums?: boolean;
  /**
   * 'exact', unless told: each file begins with the transaction after the last one of the file
   * before. 'overlap', Litestream's rule: it may also begin earlier, if only it ends later.
   */
  readonly contiguity?: 'exact' | 'overlap';
}

export interface Compacted {
  readonly header: LtxHeader;
  readonly trailer: LtxTrailer;
}

/**
 * Compacts the inputs, oldest first, none of which has been read beyond its header. At most some
 * hundreds at once: the work for a page grows with their number.
 */
export function compact(
  inputs: readonly LtxReader[],
  sink: ByteSink,
  options: CompactOptions = {},
): Compacted {
  assert(inputs.length > 0, 'Compacts nothing');
  checkContiguity(inputs, options.contiguity ?? 'exact');
  const header = makeOutputHeader(inputs, options);
  const encoder = new LtxEncoder(sink, header, options.version ?? 1);
  mergePages(inputs, header, encoder);
  checkChain(inputs);

  const last = inputs.at(-1)!.trailer.postApplyChecksum;
  const computed = isSnapshot(header) ? encoder.pagesChecksum : NO_CHECKSUM;
  const postApply = last === NO_CHECKSUM ? computed : last;
  const trailer = encoder.finish(hasChecksums(header) ? postApply : NO_CHECKSUM);
  return { header, trailer };
}

function checkContiguity(inputs: readonly LtxReader[], rule: 'exact' | 'overlap'): void {
  for (let i = 1; i < inputs.length; i += 1) {
    const before = inputs[i - 1]!.header;
    const { minTxid, maxTxid, pageSize } = inputs[i]!.header;
    const next = before.maxTxid + 1n;
    const follows =
      rule === 'exact' ? minTxid === next : minTxid <= next && maxTxid > before.maxTxid;
    if (!follows) {
      const range = `${formatTxid(minTxid)}-${formatTxid(maxTxid)}`;
      throw cannotCompact(`${range} does not follow ${formatTxid(before.maxTxid)}`, next, minTxid);
    }
    if (pageSize !== before.pageSize) {
      throw cannotCompact('their page sizes differ', before.pageSize, pageSize);
    }
  }
}

function makeOutputHeader(inputs: readonly LtxReader[], options: CompactOptions): LtxHeader {
  const first = inputs[0]!.header;
  const last = inputs.at(-1)!.header;
  // The checksum of a snapshot is that of its pages, even if no input tells it.
  const areKnown = isSnapshot(first) || (hasChecksums(first) && hasChecksums(last));
  const omits = options.omitChecksums === true || !areKnown;
  if ((options.version ?? 1) === 1 && omits) {
    throw cannotCompact('version 1 needs checksums', 'checksums', 'none');
  }
  const compression = options.compress === true ? FLAG_LZ4 : 0;
  return makeHeader({
    flags: options.version === 3 ? (omits ? FLAG_NO_CHECKSUM : 0) : compression,
    pageSize: first.pageSize,
    commit: last.commit,
    minTxid: first.minTxid,
    maxTxid: last.maxTxid,
    timestampMs: last.timestampMs,
    preApplyChecksum: omits ? NO_CHECKSUM : first.preApplyChecksum,
  });
}

function mergePages(inputs: readonly LtxReader[], header: LtxHeader, encoder: LtxEncoder): void {
  const sizesAfter = smallestSizesAfter(inputs);
  // Behind the place where the database once ended all pages are new: no older one may shine
  // through.
  const order = new PageOrder(header, Math.min(sizesAfter[0]!, inputs[0]!.header.commit) + 1);
  const pages: (LtxPage | undefined)[] = inputs.map((input) => input.next());
  for (;;) {
    const newest = findNewestOfLowest(pages);
    if (newest === -1) break;
    const { pgno, bytes, start } = pages[newest]!;
    // A page past what was the end afterwards was cut off: no version of it counts.
    if (pgno <= sizesAfter[newest]!) {
      order.accept(pgno, encoder.bytesWritten);
      encoder.writePage(pgno, bytes, start);
    }
    for (let i = 0; i < pages.length; i += 1) {
      if (pages[i]?.pgno === pgno) pages[i] = inputs[i]!.next();
    }
  }
  order.finish(encoder.bytesWritten);
}

/** For each input the smallest database, in pages, after any later one. */
function smallestSizesAfter(inputs: readonly LtxReader[]): number[] {
  const sizes: number[] = [];
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = inputs.length - 1; i >= 0; i -= 1) {
    sizes[i] = smallest;
    smallest = Math.min(smallest, inputs[i]!.header.commit);
  }
  return sizes;
}

/** Of the pages with the lowest number the one of the latest input; -1 if there are no pages. */
function findNewestOfLowest(pages: readonly (LtxPage | undefined)[]): number {
  let newest = -1;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < pages.length; i += 1) {
    const page = pages[i];
    if (page === undefined || page.pgno > lowest) continue;
    lowest = page.pgno;
    newest = i;
  }
  return newest;
}

/** Throws unless each file begins in the state in which the one before ended, where both say. */
function checkChain(inputs: readonly LtxReader[]): void {
  for (let i = 1; i < inputs.length; i += 1) {
    const { header, trailer } = inputs[i - 1]!;
    const { minTxid, preApplyChecksum } = inputs[i]!.header;
    const isComparable =
      minTxid === header.maxTxid + 1n &&
      preApplyChecksum !== NO_CHECKSUM &&
      trailer.postApplyChecksum !== NO_CHECKSUM;
    if (isComparable && preApplyChecksum !== trailer.postApplyChecksum) {
      const problem = `${formatTxid(minTxid)} does not apply to ${formatTxid(header.maxTxid)}`;
      throw cannotCompact(
        problem,
        formatChecksum(trailer.postApplyChecksum),
        formatChecksum(preApplyChecksum),
      );
    }
  }
}

function cannotCompact(
  problem: string,
  expected: bigint | number | string,
  actual: bigint | number | string,
): LtxFormatError {
  const details = { offset: 0, expected, actual };
  return new LtxFormatError('LTX_COMPACTION', `Cannot compact LTX files: ${problem}`, details);
}
