// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// bytes which others wrote. Not part of the package's face.

import { ByteFeed } from './byte-feed.ts';
import { BytesFormatError } from './errors.ts';
import { lz4BlockBound } from './lz4-block.ts';
import { Lz4BlockDecoder } from './lz4-block-decoder.ts';
import { Lz4BlockEncoder } from './lz4-block-encoder.ts';
import { BLOCK_STORED, LZ4_FRAME_MAGIC } from './lz4-frame.ts';
import { Lz4FrameDecoder } from './lz4-frame-decoder.ts';
import { Lz4FrameEncoder } from './lz4-frame-encoder.ts';
import { readVarint, writeVarint } from './varint.ts';
import { xxh32 } from './xxh32.ts';

/** Has the shape that the fuzzer declares, which this package, far below it, cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

const BLOCK_ROOM = 1024;

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'lz4-block', seeds: blockSeeds, decode: decodeBlock, isFormatError },
  { name: 'lz4-frame', seeds: frameSeeds, decode: decodeFrame, isFormatError },
  { name: 'varint', seeds: varintSeeds, decode: decodeVarints, isFormatError },
];

function isFormatError(error: unknown): boolean {
  return error instanceof BytesFormatError;
}

/** Runs, repetitions and noise. */
function sampleContent(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => {
    if (at % 100 < 30) return 0;
    return at % 100 < 70 ? 0x61 + (at % 7) : Math.imul(at, 0x9e3779b1) >>> 24;
  });
}

function blockSeeds(): Uint8Array[] {
  const encoder = new Lz4BlockEncoder();
  return [0, 13, 300, BLOCK_ROOM].map((length) => {
    const block = new Uint8Array(lz4BlockBound(length));
    return block.slice(0, encoder.encode(sampleContent(length), 0, length, block, 0));
  });
}

function decodeBlock(bytes: Uint8Array): unknown {
  const content = new Uint8Array(BLOCK_ROOM);
  const end = new Lz4BlockDecoder().decode(bytes, 0, bytes.length, content, 0);
  return { end, hash: xxh32(content, 0, end) };
}

function frameSeeds(): Uint8Array[] {
  const own = [0, 40, 700].map((length) => {
    const parts: number[] = [];
    const encoder = new Lz4FrameEncoder((bytes, start, end) => {
      parts.push(...bytes.subarray(start, end));
    });
    encoder.begin();
    encoder.write(sampleContent(length));
    encoder.finish();
    return Uint8Array.from(parts);
  });
  return [...own, dependentFrame()];
}

/** Two dependent blocks, the second a match with the first; checksums of blocks; a content size. */
function dependentFrame(): Uint8Array {
  const magic = u32le(LZ4_FRAME_MAGIC);
  const descriptor = [0x58, 0x40, 16, 0, 0, 0, 0, 0, 0, 0];
  const checksum = xxh32(Uint8Array.from(descriptor)) >>> 8;
  const stored = block(BLOCK_STORED, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38);
  const match = block(0, 0x04, 8, 0, 0x00);
  return Uint8Array.from([...magic, ...descriptor, checksum, ...stored, ...match, ...u32le(0)]);
}

function block(flags: number, ...data: readonly number[]): number[] {
  return [...u32le(flags | data.length), ...data, ...u32le(xxh32(Uint8Array.from(data)))];
}

function u32le(value: number): number[] {
  return [value, value >>> 8, value >>> 16, value >>> 24];
}

/** In pieces of a prime length, so that every field is cut sometimes. */
function decodeFrame(bytes: Uint8Array): unknown {
  const feed = new ByteFeed();
  const decoder = new Lz4FrameDecoder(feed);
  const hashes: number[] = [];
  let at = 0;
  for (;;) {
    const event = decoder.next();
    if (event === 'end') return { hashes, taken: feed.taken };
    if (event === 'block') hashes.push(xxh32(decoder.bytes, decoder.start, decoder.end));
    if (event === 'more' && at === bytes.length) return { hashes, isTruncated: true };
    if (event !== 'more') continue;
    const end = Math.min(at + 61, bytes.length);
    feed.give(bytes, at, end);
    at = end;
  }
}

function varintSeeds(): Uint8Array[] {
  const bytes = new Uint8Array(64);
  let end = 0;
  for (const value of [0, 1, 127, 128, 1e6, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    end = writeVarint(bytes, end, value);
  }
  return [bytes.slice(0, end)];
}

function decodeVarints(bytes: Uint8Array): unknown {
  const cursor = { bytes, offset: 0, end: bytes.length };
  const values: number[] = [];
  while (cursor.offset < cursor.end) values.push(readVarint(cursor));
  return values;
}
