// Makes a wal-index that of an empty WAL, when all of the old one is in the database file
// (src/wal.c, walRestartHdr): the next writer begins the WAL anew, and every reader looks at the
// database only.

import {
  writeWalIndexHeader,
  type WalIndexHeader,
  writeWalCheckpointInfo,
} from './wal-index-header.ts';
import { WAL_READ_LOCK_COUNT } from './lock-bytes.ts';
import { READ_MARK_NOT_USED } from './wal-index-header.ts';
import type { WalIndexBlock } from './wal-index-block.ts';

export interface WalRestart {
  /** Size of the database file in pages. */
  readonly pageCount: number;
  /** Salt of the WAL to come: random. */
  readonly salt2: number;
}

/**
 * Stores and returns the new header. `previous` is what the index says so far. The caller holds
 * WAL_WRITE_LOCK and has every read lock but the first exclusively, so that nobody reads the WAL.
 */
export function restartWalIndex(
  first: WalIndexBlock,
  previous: WalIndexHeader,
  { pageCount, salt2 }: WalRestart,
): WalIndexHeader {
  const header: WalIndexHeader = {
    ...previous,
    changeCounter: (previous.changeCounter + 1) >>> 0,
    mxFrame: 0,
    pageCount,
    salt1: (previous.salt1 + 1) >>> 0,
    salt2: salt2 >>> 0,
  };
  writeWalIndexHeader(first, header);
  const readMarks = Array.from({ length: WAL_READ_LOCK_COUNT }, () => READ_MARK_NOT_USED);
  readMarks[0] = 0;
  readMarks[1] = 0;
  writeWalCheckpointInfo(first, { nBackfill: 0, nBackfillAttempted: 0, readMarks });
  return header;
}
