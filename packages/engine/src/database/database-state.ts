// Where a database stands: what follows from all its transactions so far, and nothing else.

import { type Checksum, type LtxHeader, type LtxTrailer, NO_CHECKSUM, type Txid } from '@skein/ltx';

export interface DatabaseState {
  /** Size in pages; 0: there is no such database (any more). */
  readonly pageCount: number;
  /** Undefined until the first transaction, and again after the database was dropped. */
  readonly pageSize: number | undefined;
  /** Number of the last transaction; goes on when a database is dropped and made again. */
  readonly txid: Txid;
  /** Checksum over all pages (LTX: post-apply); 0 before the first transaction. */
  readonly checksum: Checksum;
  /** The record of the node's log that holds the last transaction. */
  readonly lsn: number;
}

export const NO_STATE: DatabaseState = {
  pageCount: 0,
  pageSize: undefined,
  txid: 0n as Txid,
  checksum: NO_CHECKSUM,
  lsn: 0,
};

/** The state to which an LTX file leads that is in record `lsn`. */
export function stateAfter(header: LtxHeader, trailer: LtxTrailer, lsn: number): DatabaseState {
  const isDropped = header.commit === 0;
  return {
    pageSize: isDropped ? undefined : header.pageSize,
    pageCount: header.commit,
    txid: header.maxTxid,
    checksum: trailer.postApplyChecksum,
    lsn,
  };
}
