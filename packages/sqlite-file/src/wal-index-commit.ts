// Makes a transaction whose frames lie in the WAL visible to every connection: for a replica that
// appends what happened elsewhere, and on behalf of a client that died between its commit frame and
// its update of the index (src/wal.c, the end of walFrames).
//
// Invariant: entries come first, the header last. Until the header is there nobody follows the
// entries, and a death in between leaves only remnants, which the next writer removes.

import { assert } from '@skein/bytes';

import type { WalChecksum } from './wal-checksum.ts';
import type { WalHeader } from './wal-header.ts';
import { appendToWalIndex, walIndexBlockOf, type WalIndexBlock } from './wal-index-block.ts';
import { writeWalIndexHeader, type WalIndexHeader } from './wal-index-header.ts';

/** A transaction in the WAL, right behind the last that the index knows. */
export interface WalTransaction {
  /** The page of each of its frames, in order. */
  readonly pgnos: ArrayLike<number>;
  /** Size of the database in pages, from the commit field of its last frame. */
  readonly pageCount: number;
  /** The checksum of its last frame. */
  readonly sums: WalChecksum;
}

/**
 * Enters a transaction and returns the new header of the index. `blocks` reach to its last frame;
 * `previous` is what the index says so far, `wal` what the WAL file says: they differ if the
 * transaction is the first of a new WAL. The caller holds WAL_WRITE_LOCK, and has written the
 * frames.
 */
export function commitToWalIndex(
  blocks: readonly WalIndexBlock[],
  previous: WalIndexHeader,
  wal: WalHeader,
  transaction: WalTransaction,
): WalIndexHeader {
  const { pgnos } = transaction;
  const header = nextWalIndexHeader(previous, wal, transaction);
  assert(pgnos.length > 0, 'A transaction has frames');
  assert(blocks.length > walIndexBlockOf(header.mxFrame), 'There are blocks for all frames');
  for (let i = 0; i < pgnos.length; i++) {
    const frame = previous.mxFrame + 1 + i;
    appendToWalIndex(blocks[walIndexBlockOf(frame)]!, frame, pgnos[i]!);
  }
  writeWalIndexHeader(blocks[0]!, header);
  return header;
}

export function nextWalIndexHeader(
  previous: WalIndexHeader,
  wal: WalHeader,
  transaction: WalTransaction,
): WalIndexHeader {
  return {
    changeCounter: (previous.changeCounter + 1) >>> 0,
    bigEndianChecksums: wal.bigEndianChecksums,
    pageSize: wal.pageSize,
    mxFrame: previous.mxFrame + transaction.pgnos.length,
    pageCount: transaction.pageCount,
    frameChecksum1: transaction.sums[0]!,
    frameChecksum2: transaction.sums[1]!,
    salt1: wal.salt1,
    salt2: wal.salt2,
  };
}
