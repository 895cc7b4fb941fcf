// What is in a segment: where each record starts, which transactions of which database there are,
// and which LTX files of their own they name. Kept in memory while the segment is written, and put
// behind its last record when it is sealed, so that nobody has to read a sealed segment to find
// something.
//
//        0    4 number of records R      then R times   4  offset of the record, divided by 8
//        4    4 number of databases D    then D times  40  first and last TXID, first and last LSN,
//        8    4 number of files F                          2 bytes size of the name, 6 zero
//       12    4 zero                                       then the name, padded with zeros to a
//                                                          multiple of 8
//                                        then F times   8  the number that names the file
//                                        then           8  CRC-64 of everything before
//
// The offsets are padded to a multiple of 8. Integers big-endian. On disk: changes with the version
// of the segment.

import { crc64, readU32be, writeU32be } from '@skein/bytes';
import { readU64be, writeU64be } from '@skein/bytes';

import { padTo8, type RecordEntry } from './record.ts';
import { maybeReadSafeU64be, writeSafeU64be } from './safe-u64.ts';
import { maybeDecodeUtf8 } from './strict-utf8.ts';

const HEAD_BYTES = 16;
const DATABASE_BYTES = 40;
const CRC_BYTES = 8;
const OFFSETS_MIN = 1024;

/**
 * Transactions of a database that follow one another. What comes again, or has every page, begins a
 * history of its own: what was before in the segment is not in the span, for a replica that was
 * healed has given it up.
 */
export interface DatabaseSpan {
  readonly firstTxid: bigint;
  readonly lastTxid: bigint;
  readonly firstLsn: number;
  readonly lastLsn: number;
}

const utf8 = new TextEncoder();

export class SegmentIndex {
  #offsets = new Uint32Array(OFFSETS_MIN);
  #recordCount = 0;
  readonly #spans = new Map<string, DatabaseSpan>();
  readonly #besideIds: bigint[] = [];

  get recordCount(): number {
    return this.#recordCount;
  }

  /** The LTX files that records of this segment name. */
  get besideIds(): readonly bigint[] {
    return this.#besideIds;
  }

  get databases(): ReadonlyMap<string, DatabaseSpan> {
    return this.#spans;
  }

  /** Offset of the n-th record, from 0. */
  offsetOf(n: number): number {
    return this.#offsets[n]! * 8;
  }

  /** Enters the record that follows the last one. */
  add(lsn: number, offset: number, entries: readonly RecordEntry[]): void {
    this.#addOffset(offset);
    for (const entry of entries) {
      const { database, minTxid, maxTxid } = entry;
      const before = this.#spans.get(database);
      const { firstTxid, firstLsn } =
        before !== undefined && minTxid > before.lastTxid
          ? before
          : { firstTxid: minTxid, firstLsn: lsn };
      this.#spans.set(database, { firstTxid, lastTxid: maxTxid, firstLsn, lastLsn: lsn });
      if (entry.besideId !== undefined) this.#besideIds.push(entry.besideId);
    }
  }

  encode(): Uint8Array {
    const names = [...this.#spans.keys()].map((name) => utf8.encode(name));
    let size = HEAD_BYTES + padTo8(this.#recordCount * 4);
    for (const name of names) size += DATABASE_BYTES + padTo8(name.length);
    size += this.#besideIds.length * 8 + CRC_BYTES;

    const bytes = new Uint8Array(size);
    writeU32be(bytes, 0, this.#recordCount);
    writeU32be(bytes, 4, names.length);
    writeU32be(bytes, 8, this.#besideIds.length);
    for (let n = 0; n < this.#recordCount; n++) {
      writeU32be(bytes, HEAD_BYTES + n * 4, this.#offsets[n]!);
    }
    let at = HEAD_BYTES + padTo8(this.#recordCount * 4);
    let index = 0;
    for (const span of this.#spans.values()) at = encodeSpan(bytes, at, names[index++]!, span);
    for (const id of this.#besideIds) {
      writeU64be(bytes, at, id);
      at += 8;
    }
    writeU64be(bytes, at, crc64(bytes, 0, at));
    return bytes;
  }

  /** Undefined when the bytes are damaged. */
  static maybeDecode(bytes: Uint8Array): SegmentIndex | undefined {
    if (bytes.length < HEAD_BYTES + CRC_BYTES) return undefined;
    const crcAt = bytes.length - CRC_BYTES;
    if (readU64be(bytes, crcAt) !== crc64(bytes, 0, crcAt)) return undefined;
    return new SegmentIndex().#tryFill(bytes, crcAt);
  }

  /** Undefined when its parts do not fill the bytes to `end`: a CRC can be made on purpose. */
  #tryFill(bytes: Uint8Array, end: number): this | undefined {
    const recordCount = readU32be(bytes, 0);
    const fileCount = readU32be(bytes, 8);
    let at = HEAD_BYTES + padTo8(recordCount * 4);
    if (at > end) return undefined;
    for (let n = 0; n < recordCount; n++) {
      this.#addOffset(readU32be(bytes, HEAD_BYTES + n * 4) * 8);
    }
    for (let count = readU32be(bytes, 4); count > 0; count--) {
      const next = this.#tryDecodeSpan(bytes, at, end);
      if (next === undefined) return undefined;
      at = next;
    }
    if (at + fileCount * 8 !== end) return undefined;
    for (; at < end; at += 8) this.#besideIds.push(readU64be(bytes, at));
    return this;
  }

  #addOffset(offset: number): void {
    if (this.#recordCount === this.#offsets.length) {
      const larger = new Uint32Array(this.#offsets.length * 2);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[this.#recordCount++] = offset / 8;
  }

  #tryDecodeSpan(bytes: Uint8Array, at: number, end: number): number | undefined {
    const nameAt = at + DATABASE_BYTES;
    if (nameAt > end) return undefined;
    const nameBytes = readU32be(bytes, at + 32) >>> 16;
    if (nameAt + padTo8(nameBytes) > end) return undefined;
    const name = maybeDecodeUtf8(bytes.subarray(nameAt, nameAt + nameBytes));
    if (name === undefined) return undefined;
    this.#spans.set(name, {
      firstTxid: readU64be(bytes, at),
      lastTxid: readU64be(bytes, at + 8),
      firstLsn: maybeReadSafeU64be(bytes, at + 16),
      lastLsn: maybeReadSafeU64be(bytes, at + 24),
    });
    return nameAt + padTo8(nameBytes);
  }
}

function encodeSpan(bytes: Uint8Array, at: number, name: Uint8Array, span: DatabaseSpan): number {
  writeU64be(bytes, at, span.firstTxid);
  writeU64be(bytes, at + 8, span.lastTxid);
  writeSafeU64be(bytes, at + 16, span.firstLsn);
  writeSafeU64be(bytes, at + 24, span.lastLsn);
  writeU32be(bytes, at + 32, name.length << 16);
  bytes.set(name, at + DATABASE_BYTES);
  return at + DATABASE_BYTES + padTo8(name.length);
}
