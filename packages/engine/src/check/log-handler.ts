// Who reads the log: told of its content in order, and of what is wrong with it.

import type { LtxHeader, LtxPage, LtxTrailer } from '@skein/ltx';

import type { RecordEntry, RecordHeader } from '../log/record.ts';
import type { Fault } from './fault.ts';

export interface LogHandler {
  record(header: RecordHeader): void;
  /** A transaction begins, of which pages follow. Returns what is wrong with it coming here. */
  begin(entry: RecordEntry, header: LtxHeader, lsn: number): string | undefined;
  page(page: LtxPage): void;
  /** The transaction was whole: what came since begin() counts. */
  end(trailer: LtxTrailer): void;
  /**
   * Records up to `lastLsn` are lost. `databases` had a part in them; undefined: any may have.
   * What came since begin() does not count.
   */
  lose(lastLsn: number, databases: readonly string[] | undefined): void;
  /** A segment ends here, of which the index says that this is a database's last transaction. */
  expect(database: string, lastTxid: bigint): void;
  fault(fault: Fault): void;
}
