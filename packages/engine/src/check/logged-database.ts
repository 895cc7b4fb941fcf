// What the log has of one database: where it ends, and the checksum of the newest version of every
// page.
//
// Invariant: a page that is in `sums` has this checksum at `state`, whatever the database file
// holds. Where a transaction is lost this is no longer known of the pages before it, and they are
// forgotten.

import { isSnapshot, type LtxHeader, type LtxPage, type LtxTrailer } from '@skein/ltx';

import type { DatabaseState } from '../database/database-state.ts';
import { maybeChangeCounter } from '../recovery/first-page.ts';
import { PageSet, PageSumMap } from './page-sum-map.ts';

export class LoggedDatabase {
  readonly name: string;
  /** From checkpoint.json; undefined when that says nothing. */
  readonly checkpoint: DatabaseState | undefined;
  readonly sums: PageSumMap = new PageSumMap();
  /** Pages that a start puts into the file, which may have any version of them until then. */
  readonly pending: PageSet = new PageSet();
  readonly #coveredLsn: number;
  #state: DatabaseState | undefined;
  #lostLsn = 0;
  #isContinuous = true;
  #changeCounter: number | undefined;
  /** A file of before may be there again after a power cut. */
  #wasDropped = false;
  #next: LtxHeader | undefined;
  #nextLsn = 0;

  /** `coveredLsn`: up to this record nothing of the database is missing in its checkpoint. */
  constructor(name: string, checkpoint: DatabaseState | undefined, coveredLsn: number) {
    this.name = name;
    this.checkpoint = checkpoint;
    this.#coveredLsn = checkpoint === undefined ? 0 : Math.max(checkpoint.lsn, coveredLsn);
  }

  /** After the last transaction in the log; undefined when there is none. */
  get state(): DatabaseState | undefined {
    return this.#state;
  }

  /** The newest state that is known for certain; undefined when there may have been a later one. */
  get finalState(): DatabaseState | undefined {
    const { checkpoint } = this;
    const state = this.#state;
    if (this.#lostLsn > Math.max(this.#coveredLsn, state?.lsn ?? 0)) return undefined;
    if (state === undefined || checkpoint === undefined) return state ?? checkpoint;
    return state.lsn >= checkpoint.lsn ? state : checkpoint;
  }

  /** Of the newest first page in the log, if it can be compared with the one in the file. */
  get changeCounter(): number | undefined {
    return this.#wasDropped ? undefined : this.#changeCounter;
  }

  /** Whether all pages are known that a start puts into the file. */
  get isPendingKnown(): boolean {
    return this.#lostLsn <= this.#coveredLsn;
  }

  /** Record `lsn`, or some of up to that, may have had a transaction that is lost. */
  lose(lsn: number): void {
    this.#lostLsn = Math.max(this.#lostLsn, lsn);
    this.#isContinuous = false;
    this.#forget();
  }

  /** This is the last transaction up to here: if it was found, nothing behind it is lost. */
  confirm(lastTxid: bigint): void {
    if (this.#state?.txid !== lastTxid) return;
    this.#lostLsn = Math.min(this.#lostLsn, this.#state.lsn);
  }

  /** A transaction begins. Returns what is wrong with it coming here, if anything. */
  begin(header: LtxHeader, lsn: number): string | undefined {
    const before = this.#stateBefore(lsn);
    const wasContinuous = this.#isContinuous;
    this.#isContinuous = true;
    this.#next = header;
    this.#nextLsn = lsn;
    const follows =
      before === undefined ||
      isSnapshot(header) ||
      (header.minTxid === before.txid + 1n &&
        (before.txid === 0n || header.preApplyChecksum === before.checksum));
    if (!follows) this.#forget();
    // Another database begins: the file may still be that of before.
    const isReplaced = isSnapshot(header) && (before?.txid ?? 0n) > 0n;
    if (header.commit === 0 || isReplaced) {
      this.#forget();
      this.#wasDropped = true;
    }
    if (follows || !wasContinuous) return undefined;
    return `it does not follow transaction ${before.txid}`;
  }

  page(page: LtxPage): void {
    if (this.#nextLsn > (this.checkpoint?.lsn ?? 0)) this.pending.add(page.pgno);
    this.sums.set(page.pgno, page.checksumHi, page.checksumLo);
    if (page.pgno !== 1) return;
    this.#changeCounter = maybeChangeCounter(page.bytes.subarray(page.start, page.end));
  }

  end(trailer: LtxTrailer): void {
    const header = this.#next!;
    const isDropped = header.commit === 0;
    this.#state = {
      pageSize: isDropped ? undefined : header.pageSize,
      pageCount: header.commit,
      txid: header.maxTxid,
      checksum: trailer.postApplyChecksum,
      lsn: this.#nextLsn,
    };
    this.sums.cut(header.commit);
    this.pending.cut(header.commit);
  }

  /** The log has ended. Returns what is wrong with the checkpoint, if anything. */
  finish(): string | undefined {
    const { checkpoint } = this;
    const state = this.#state;
    if (checkpoint === undefined || state === undefined) return undefined;
    // The versions that the log has are not the newest.
    if (checkpoint.lsn > state.lsn) this.#forget();
    const isOther =
      checkpoint.txid === state.txid &&
      (checkpoint.checksum !== state.checksum || checkpoint.pageCount !== state.pageCount);
    return isOther ? 'it says another state than the log' : undefined;
  }

  /** Where the database stands before record `lsn`, as far as that is known. */
  #stateBefore(lsn: number): DatabaseState | undefined {
    const { checkpoint } = this;
    const state = this.#state;
    if (checkpoint === undefined || lsn <= checkpoint.lsn) return state;
    return state === undefined || state.lsn < checkpoint.lsn ? checkpoint : state;
  }

  #forget(): void {
    this.sums.clear();
    this.pending.clear();
  }
}
