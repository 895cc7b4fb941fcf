// Writes LZ4 frames the way LiteFS does: version 1, independent blocks of up to 64 KiB, no block
// checksums, no content size, a content checksum. A frame begins with 04 22 4D 18 64 40 A7.

import { assert } from './assert.ts';
import type { ByteSink } from './byte-sink.ts';
import { lz4BlockBound } from './lz4-block.ts';
import { Lz4BlockEncoder } from './lz4-block-encoder.ts';
import {
  BLOCK_SIZE_CODE_MIN,
  BLOCK_STORED,
  FLAG_CONTENT_CHECKSUM,
  FLAG_INDEPENDENT_BLOCKS,
  FLAG_VERSION_1,
  LZ4_FRAME_MAGIC,
  blockSizeOfCode,
} from './lz4-frame.ts';
import { writeU32le } from './u64.ts';
import { Xxh32, xxh32 } from './xxh32.ts';

const BLOCK_BYTES = blockSizeOfCode(BLOCK_SIZE_CODE_MIN);
const HEADER = makeHeader();

export class Lz4FrameEncoder {
  readonly #sink: ByteSink;
  readonly #blocks = new Lz4BlockEncoder();
  readonly #checksum = new Xxh32();
  /** Content of the block that is not full yet. */
  readonly #content = new Uint8Array(BLOCK_BYTES);
  #contentLength = 0;
  /** A block as it is written: its length, its data. */
  readonly #block = new Uint8Array(4 + lz4BlockBound(BLOCK_BYTES));
  #open = false;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Starts a frame. */
  begin(): void {
    assert(!this.#open, 'An LZ4 frame begins inside of another');
    this.#open = true;
    this.#checksum.reset();
    this.#sink(HEADER, 0, HEADER.length);
  }

  /** Adds content. */
  write(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    assert(this.#open, 'Content is outside of an LZ4 frame');
    this.#checksum.update(bytes, start, end);
    let at = start;
    while (at < end) {
      const length = Math.min(end - at, BLOCK_BYTES - this.#contentLength);
      this.#content.set(bytes.subarray(at, at + length), this.#contentLength);
      this.#contentLength += length;
      at += length;
      if (this.#contentLength === BLOCK_BYTES) this.#writeBlock();
    }
  }

  /** Ends the frame. Another may begin. */
  finish(): void {
    assert(this.#open, 'An LZ4 frame ends that has not begun');
    if (this.#contentLength > 0) this.#writeBlock();
    writeU32le(this.#block, 0, 0);
    writeU32le(this.#block, 4, this.#checksum.digest());
    this.#sink(this.#block, 0, 8);
    this.#open = false;
  }

  #writeBlock(): void {
    const length = this.#contentLength;
    const end = this.#blocks.encode(this.#content, 0, length, this.#block, 4);
    this.#contentLength = 0;
    if (end - 4 < length) {
      writeU32le(this.#block, 0, end - 4);
      this.#sink(this.#block, 0, end);
    } else {
      writeU32le(this.#block, 0, length | BLOCK_STORED);
      this.#sink(this.#block, 0, 4);
      this.#sink(this.#content, 0, length);
    }
  }
}

function makeHeader(): Uint8Array {
  const header = new Uint8Array(7);
  writeU32le(header, 0, LZ4_FRAME_MAGIC);
  header[4] = FLAG_VERSION_1 | FLAG_INDEPENDENT_BLOCKS | FLAG_CONTENT_CHECKSUM;
  header[5] = BLOCK_SIZE_CODE_MIN << 4;
  header[6] = xxh32(header, 4, 6) >>> 8;
  return header;
}
