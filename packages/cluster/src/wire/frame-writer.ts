// Encodes frames one after the other into one array, so that what is sent together is one write.
//
// Each method appends one frame, or one part of a frame that is sent in parts (LTX with its chunks,
// files with their pieces). take() hands out what there is. docs/replication-protocol.md has the
// layouts.

import { assert } from '@skein/bytes';
import type { Position, Txid } from '@skein/ltx';

import type { PositionMap } from '../ports.ts';
import {
  FRAME_ACKNOWLEDGEMENT,
  FRAME_DROP_DATABASE,
  FRAME_END,
  FRAME_FILE_BEGIN,
  FRAME_FILE_END,
  FRAME_FILE_PIECE,
  FRAME_HANDOFF,
  FRAME_HEARTBEAT,
  FRAME_HIGH_WATER_MARK,
  FRAME_LTX,
  FRAME_READY,
  FRAME_TRANSACTION,
} from './frame-type.ts';
import type { Acknowledgement, FileHead } from './frames.ts';
import {
  CHUNK_BYTES_MAX,
  FILE_ID_BYTES_MAX,
  FILE_PIECE_BYTES_MAX,
  LEASE_ID_BYTES_MAX,
  NAME_BYTES_MAX,
  TRANSACTION_BYTES_MAX,
} from './limits.ts';

const EMPTY = new Uint8Array(0);

const FIRST_BYTES = 1024;

const utf8 = new TextEncoder();

export class FrameWriter {
  #bytes: Uint8Array = EMPTY;
  #view = new DataView(EMPTY.buffer);
  #length = 0;

  /** How many bytes take() would hand out. */
  get length(): number {
    return this.#length;
  }

  /** What was encoded since the last call; it is the caller's. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return taken;
  }

  /** Makes room for so many bytes, so that they need not be moved while they become more. */
  reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  positionMap(positions: PositionMap): void {
    this.#u32(positions.size);
    for (const name of [...positions.keys()].toSorted()) {
      this.#text(name, NAME_BYTES_MAX);
      this.#position(positions.get(name)!);
    }
  }

  /** Begins an LTX file; its bytes follow as chunks. */
  ltx(database: string): void {
    this.#u32(FRAME_LTX);
    // LiteFS has a field for the size here and never fills it in.
    this.#u64(0n);
    this.#text(database, NAME_BYTES_MAX);
  }

  chunk(bytes: Uint8Array): void {
    assert(bytes.length > 0 && bytes.length <= CHUNK_BYTES_MAX, 'A chunk has 1 to 65,535 bytes');
    this.reserve(2);
    this.#view.setUint16(this.#length, bytes.length);
    this.#length += 2;
    this.raw(bytes);
  }

  chunksEnd(): void {
    this.reserve(2);
    this.#view.setUint16(this.#length, 0);
    this.#length += 2;
  }

  ready(): void {
    this.#u32(FRAME_READY);
  }

  end(): void {
    this.#u32(FRAME_END);
  }

  dropDatabase(database: string): void {
    this.#u32(FRAME_DROP_DATABASE);
    this.#text(database, NAME_BYTES_MAX);
  }

  handoff(leaseId: string): void {
    this.#u32(FRAME_HANDOFF);
    this.#text(leaseId, LEASE_ID_BYTES_MAX);
  }

  highWaterMark(database: string, txid: Txid): void {
    this.#u32(FRAME_HIGH_WATER_MARK);
    this.#u64(txid);
    this.#text(database, NAME_BYTES_MAX);
  }

  heartbeat(wallMs: number): void {
    this.#u32(FRAME_HEARTBEAT);
    this.#u64(BigInt(Math.floor(wallMs)));
  }

  /** What stands before a transaction of `byteCount` bytes, which are to follow. */
  transactionHead(database: string, epoch: number, byteCount: number): void {
    assert(byteCount <= TRANSACTION_BYTES_MAX, 'A transaction is too large for its frame');
    this.#u32(FRAME_TRANSACTION);
    this.#u64(BigInt(epoch));
    this.#u32(byteCount);
    this.#text(database, NAME_BYTES_MAX);
  }

  transaction(database: string, epoch: number, bytes: Uint8Array): void {
    this.transactionHead(database, epoch, bytes.length);
    this.raw(bytes);
  }

  fileBegin(head: FileHead): void {
    this.#u32(FRAME_FILE_BEGIN);
    this.#u64(BigInt(head.epoch));
    this.#u64(BigInt(head.offset));
    this.#position(head.position);
    this.#text(head.database, NAME_BYTES_MAX);
    this.#text(head.id, FILE_ID_BYTES_MAX);
  }

  /** What stands before a piece of a file of `byteCount` bytes, which are to follow. */
  filePieceHead(byteCount: number): void {
    const isPiece = byteCount > 0 && byteCount <= FILE_PIECE_BYTES_MAX;
    assert(isPiece, 'Piece of a file is empty or too large');
    this.#u32(FRAME_FILE_PIECE);
    this.#u32(byteCount);
  }

  filePiece(bytes: Uint8Array): void {
    this.filePieceHead(bytes.length);
    this.raw(bytes);
  }

  fileEnd(): void {
    this.#u32(FRAME_FILE_END);
  }

  acknowledgement(acknowledgement: Acknowledgement): void {
    const { database, received, durable, applied } = acknowledgement;
    this.#u32(FRAME_ACKNOWLEDGEMENT);
    this.#u64(received);
    this.#position(durable);
    this.#position(applied);
    this.#text(database, NAME_BYTES_MAX);
  }

  /** Bytes that belong to the frame whose head was written before. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #u32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  #u64(value: bigint): void {
    this.reserve(8);
    this.#view.setBigUint64(this.#length, value);
    this.#length += 8;
  }

  #position(position: Position): void {
    this.#u64(position.txid);
    this.#u64(position.checksum);
  }

  #text(text: string, bytesMax: number): void {
    // A character of UTF-16 takes at most three bytes.
    this.reserve(4 + 3 * text.length);
    const start = this.#length + 4;
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start));
    assert(written <= bytesMax, 'A text is longer than the protocol allows');
    this.#view.setUint32(this.#length, written);
    this.#length = start + written;
  }
}
