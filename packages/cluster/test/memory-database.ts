// A database in memory that makes LTX files of its transactions, with true checksums.

import {
  type Checksum,
  DatabaseChecksum,
  FLAG_LZ4,
  LtxEncoder,
  makeHeader,
  NO_CHECKSUM,
  pageChecksum,
  type Position,
  POSITION_ZERO,
  toTxid,
} from '@skein/ltx';

export interface MemoryTransaction {
  readonly pgnos: readonly number[];
  /** Of each byte; makes one transaction differ from another. */
  readonly fill: number;
  readonly isCompressed?: boolean;
  readonly timestampMs?: number;
}

export class MemoryDatabase {
  readonly #pageSize: number;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #checksum = new DatabaseChecksum();
  #position = POSITION_ZERO;

  constructor(pageSize = 512) {
    this.#pageSize = pageSize;
  }

  get position(): Position {
    return this.#position;
  }

  /** The LTX file of the next transaction; the first must write all pages from 1 on. */
  commit({ pgnos, fill, isCompressed = false, timestampMs = 1 }: MemoryTransaction): Uint8Array {
    const before = this.#position;
    const txid = toTxid(before.txid + 1n);
    const parts: Uint8Array[] = [];
    const encoder = new LtxEncoder(
      (bytes, start, end) => parts.push(bytes.slice(start, end)),
      makeHeader({
        flags: isCompressed ? FLAG_LZ4 : 0,
        pageSize: this.#pageSize,
        commit: Math.max(...pgnos, ...this.#pages.keys()),
        minTxid: txid,
        maxTxid: txid,
        timestampMs,
        preApplyChecksum: txid === 1n ? NO_CHECKSUM : before.checksum,
      }),
    );
    for (const pgno of pgnos.toSorted((a, b) => a - b)) {
      const page = new Uint8Array(this.#pageSize).fill(fill);
      encoder.writePage(pgno, page);
      const old = this.#pages.get(pgno);
      if (old !== undefined) this.#toggle(pageChecksum(pgno, old));
      this.#toggle(pageChecksum(pgno, page));
      this.#pages.set(pgno, page);
    }
    const checksum = this.#checksum.value;
    encoder.finish(checksum);
    this.#position = { txid, checksum };
    return new Uint8Array(Buffer.concat(parts));
  }

  #toggle(checksum: Checksum): void {
    this.#checksum.toggle(Number(checksum >> 32n), Number(checksum & 0xffffffffn));
  }
}
