// Reads any LZ4 frame, block by block, from a feed, and takes not a byte more than the frame has.
//
// Blocks may depend on earlier ones, carry checksums, and be of any size the format knows. Frames
// that need a dictionary are refused, as are the "skippable" and "legacy" kinds.

import type { ByteFeed } from './byte-feed.ts';
import { BytesFormatError, type BytesErrorCode } from './errors.ts';
import { MATCH_DISTANCE_MAX } from './lz4-block.ts';
import { Lz4BlockDecoder } from './lz4-block-decoder.ts';
import {
  BLOCK_DESCRIPTOR_RESERVED,
  BLOCK_SIZE_CODE_MAX,
  BLOCK_SIZE_CODE_MIN,
  BLOCK_STORED,
  FLAG_BLOCK_CHECKSUMS,
  FLAG_CONTENT_CHECKSUM,
  FLAG_CONTENT_SIZE,
  FLAG_DICTIONARY,
  FLAG_INDEPENDENT_BLOCKS,
  FLAG_RESERVED,
  FLAG_VERSION_1,
  FLAG_VERSION_MASK,
  LZ4_FRAME_MAGIC,
  blockSizeOfCode,
} from './lz4-frame.ts';
import { readU32le, readU64le } from './u64.ts';
import { Xxh32, xxh32 } from './xxh32.ts';

/** 'more': give() the feed more; 'block': `bytes` has content; 'end': that was all of it. */
export type Lz4FrameEvent = 'more' | 'block' | 'end';

/** History that matches of a dependent block can reach. */
const HISTORY_BYTES = MATCH_DISTANCE_MAX + 1;

/** Magic, flags and block descriptor: what tells how long the rest of the header is. */
const HEADER_START_BYTES = 6;

export class Lz4FrameDecoder {
  /** The content of a block is here from `start` to `end`, until the next call. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  readonly #feed: ByteFeed;
  readonly #blocks = new Lz4BlockDecoder();
  readonly #checksum = new Xxh32();
  #expects: 'header' | 'block length' | 'block' | 'content checksum' | 'nothing' = 'header';
  #flags = 0;
  #blockBytesMax = 0;
  #contentSize = 0n;
  #contentLength = 0;
  /** Length field of the block that comes next. */
  #blockLength = 0;

  constructor(feed: ByteFeed) {
    this.#feed = feed;
  }

  /** Expects another frame. */
  begin(): void {
    this.#expects = 'header';
    this.start = 0;
    this.end = 0;
    this.#contentLength = 0;
    this.#checksum.reset();
  }

  next(): Lz4FrameEvent {
    for (;;) {
      switch (this.#expects) {
        case 'header':
          if (!this.#readHeader()) return 'more';
          break;
        case 'block length':
          if (!this.#feed.take(4)) return 'more';
          this.#readBlockLength();
          break;
        case 'block':
          if (!this.#readBlock()) return 'more';
          return 'block';
        case 'content checksum':
          if (!this.#readContentChecksum()) return 'more';
          break;
        case 'nothing':
          return 'end';
      }
    }
  }

  #readHeader(): boolean {
    const feed = this.#feed;
    if (!feed.peek(HEADER_START_BYTES)) return false;
    const magic = readU32le(feed.bytes, feed.start);
    if (magic !== LZ4_FRAME_MAGIC) {
      throw this.#error('LZ4_FRAME_MAGIC', 'it begins with another magic', LZ4_FRAME_MAGIC, magic);
    }
    const flags = feed.bytes[feed.start + 4]!;
    const blockDescriptor = feed.bytes[feed.start + 5]!;
    this.#checkDescriptor(flags, blockDescriptor);
    const sizeBytes = (flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8;
    const headerBytes = HEADER_START_BYTES + sizeBytes + 1;
    if (!feed.take(headerBytes)) return false;

    const checksumAt = feed.start + headerBytes - 1;
    const checksum = (xxh32(feed.bytes, feed.start + 4, checksumAt) >>> 8) & 0xff;
    const stored = feed.bytes[checksumAt]!;
    if (checksum !== stored) {
      const what = 'its descriptor fails its checksum';
      throw this.#error('LZ4_FRAME_DESCRIPTOR_CHECKSUM', what, stored, checksum);
    }
    if (sizeBytes > 0) this.#contentSize = readU64le(feed.bytes, feed.start + HEADER_START_BYTES);
    this.#flags = flags;
    this.#blockBytesMax = blockSizeOfCode(blockDescriptor >>> 4);
    this.#expects = 'block length';
    return true;
  }

  #checkDescriptor(flags: number, blockDescriptor: number): void {
    if ((flags & FLAG_VERSION_MASK) !== FLAG_VERSION_1 || (flags & FLAG_RESERVED) !== 0) {
      throw this.#error('LZ4_FRAME_DESCRIPTOR', 'its version is not known', FLAG_VERSION_1, flags);
    }
    if ((flags & FLAG_DICTIONARY) !== 0) {
      throw this.#error('LZ4_FRAME_DICTIONARY', 'it needs a dictionary', 0, FLAG_DICTIONARY);
    }
    const code = blockDescriptor >>> 4;
    const isKnown = code >= BLOCK_SIZE_CODE_MIN && code <= BLOCK_SIZE_CODE_MAX;
    if (!isKnown || (blockDescriptor & BLOCK_DESCRIPTOR_RESERVED) !== 0) {
      const what = 'its block size is not known';
      throw this.#error('LZ4_FRAME_DESCRIPTOR', what, BLOCK_SIZE_CODE_MIN << 4, blockDescriptor);
    }
  }

  #readBlockLength(): void {
    this.#blockLength = readU32le(this.#feed.bytes, this.#feed.start);
    if (this.#blockLength === 0) {
      this.#checkContentSize();
      this.#expects = (this.#flags & FLAG_CONTENT_CHECKSUM) === 0 ? 'nothing' : 'content checksum';
      return;
    }
    const length = this.#blockLength & ~BLOCK_STORED;
    if (length > this.#blockBytesMax) {
      const what = 'a block is longer than the frame allows';
      throw this.#error('LZ4_FRAME_BLOCK_SIZE', what, this.#blockBytesMax, length);
    }
    this.#expects = 'block';
  }

  #readBlock(): boolean {
    const feed = this.#feed;
    const length = this.#blockLength & ~BLOCK_STORED;
    const hasChecksum = (this.#flags & FLAG_BLOCK_CHECKSUMS) !== 0;
    if (!feed.take(hasChecksum ? length + 4 : length)) return false;
    if (hasChecksum) this.#checkBlock(length);

    this.#makeRoom();
    if ((this.#blockLength & BLOCK_STORED) === 0) {
      this.#decompress(length);
    } else {
      this.bytes.set(feed.bytes.subarray(feed.start, feed.start + length), this.start);
      this.end = this.start + length;
    }
    if (this.end - this.start > this.#blockBytesMax) {
      const what = 'the content of a block is longer than the frame allows';
      throw this.#error('LZ4_FRAME_BLOCK_SIZE', what, this.#blockBytesMax, this.end - this.start);
    }
    this.#contentLength += this.end - this.start;
    this.#checksum.update(this.bytes, this.start, this.end);
    this.#expects = 'block length';
    return true;
  }

  #decompress(length: number): void {
    const { bytes, start, taken } = this.#feed;
    try {
      this.end = this.#blocks.decode(bytes, start, start + length, this.bytes, this.start);
    } catch (cause) {
      if (!(cause instanceof BytesFormatError)) throw cause;
      const message = 'Cannot decode LZ4 frame: a block of it is corrupt';
      throw new BytesFormatError(cause.code, message, { offset: taken, cause });
    }
  }

  /**
   * Puts `start` where the next block's content goes: behind the history, if blocks depend on it.
   */
  #makeRoom(): void {
    const isIndependent = (this.#flags & FLAG_INDEPENDENT_BLOCKS) !== 0;
    const historyMax = isIndependent ? 0 : HISTORY_BYTES;
    const room = historyMax + this.#blockBytesMax;
    const history = Math.min(historyMax, this.end);
    const window = this.bytes.length === room ? this.bytes : new Uint8Array(room);
    window.set(this.bytes.subarray(this.end - history, this.end));
    this.bytes = window;
    this.start = history;
    this.end = history;
  }

  #checkBlock(length: number): void {
    const { bytes, start } = this.#feed;
    const expected = readU32le(bytes, start + length);
    const actual = xxh32(bytes, start, start + length);
    if (expected !== actual) {
      throw this.#error('LZ4_FRAME_BLOCK_CHECKSUM', 'a block fails its checksum', expected, actual);
    }
  }

  #checkContentSize(): void {
    if ((this.#flags & FLAG_CONTENT_SIZE) === 0) return;
    const actual = BigInt(this.#contentLength);
    if (actual === this.#contentSize) return;
    const what = 'its content is not as long as it says';
    throw this.#error('LZ4_FRAME_CONTENT_SIZE', what, this.#contentSize, actual);
  }

  #readContentChecksum(): boolean {
    if (!this.#feed.take(4)) return false;
    const expected = readU32le(this.#feed.bytes, this.#feed.start);
    const actual = this.#checksum.digest();
    if (expected !== actual) {
      const what = 'its content fails its checksum';
      throw this.#error('LZ4_FRAME_CONTENT_CHECKSUM', what, expected, actual);
    }
    this.#expects = 'nothing';
    return true;
  }

  #error(
    code: BytesErrorCode,
    what: string,
    expected: number | bigint,
    actual: number | bigint,
  ): BytesFormatError {
    const details = { offset: this.#feed.taken, expected, actual };
    return new BytesFormatError(code, `Cannot decode LZ4 frame: ${what}`, details);
  }
}
