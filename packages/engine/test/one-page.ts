// A database of which every transaction changes the first page and nothing else.

import {
  type Checksum,
  DatabaseChecksum,
  LtxEncoder,
  makeHeader,
  pageChecksum,
  type Position,
  POSITION_ZERO,
  rawFileSize,
  toTxid,
} from '@skein/ltx';

import type { LogEntry } from '../src/log/transaction-log.ts';

const PAGE_SIZE = 4096;

export class OnePage {
  readonly name: string;
  readonly #page = new Uint8Array(PAGE_SIZE);
  position: Position = POSITION_ZERO;

  constructor(name: string) {
    this.name = name;
  }

  /** The next transaction. */
  next(): LogEntry {
    const before = this.position;
    const txid = toTxid(before.txid + 1n);
    new DataView(this.#page.buffer).setBigUint64(8, txid);
    const bytes = new Uint8Array(rawFileSize(1, PAGE_SIZE));
    let at = 0;
    const encoder = new LtxEncoder(
      (piece, start, end) => {
        bytes.set(piece.subarray(start, end), at);
        at += end - start;
      },
      makeHeader({
        pageSize: PAGE_SIZE,
        commit: 1,
        minTxid: txid,
        maxTxid: txid,
        preApplyChecksum: before.checksum,
      }),
    );
    encoder.writePage(1, this.#page);
    const checksum = checksumOf(this.#page);
    encoder.finish(checksum);
    this.position = { txid, checksum };
    return {
      database: this.name,
      ltxBytes: bytes.length,
      minTxid: txid,
      maxTxid: txid,
      besideId: undefined,
      write: (sink) => sink(bytes, 0, bytes.length),
    };
  }
}

function checksumOf(page: Uint8Array): Checksum {
  const own = pageChecksum(1, page);
  const sum = new DatabaseChecksum();
  sum.toggle(Number(own >> 32n), Number(own & 0xffff_ffffn));
  return sum.value;
}
