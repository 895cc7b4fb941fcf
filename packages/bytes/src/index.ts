export { AssertionError, assert } from './assert.ts';
export { ByteFeed } from './byte-feed.ts';
export { type ByteSource, bytesSource, readWhole, sourceFrom } from './byte-source.ts';
export type { ByteSink } from './byte-sink.ts';
export { CodedError, type CodedErrorOptions } from './coded-error.ts';
export { Crc64, crc64 } from './crc64.ts';
export { Crc64Shift } from './crc64-shift.ts';
export { type BytesErrorCode, BytesFormatError } from './errors.ts';
export { FormatError } from './format-error.ts';
export { lz4BlockBound } from './lz4-block.ts';
export { Lz4BlockDecoder } from './lz4-block-decoder.ts';
export { Lz4BlockEncoder } from './lz4-block-encoder.ts';
export { LZ4_FRAME_MAGIC } from './lz4-frame.ts';
export { Lz4FrameDecoder, type Lz4FrameEvent } from './lz4-frame-decoder.ts';
export { Lz4FrameEncoder } from './lz4-frame-encoder.ts';
export {
  formatHex64,
  maybeParseHex64,
  readU32be,
  readU32le,
  readU64be,
  readU64le,
  u64FromHalves,
  u64Hi,
  u64Lo,
  writeU32be,
  writeU32le,
  writeU64be,
  writeU64le,
} from './u64.ts';
export { type ByteCursor, VARINT_BYTES_MAX, readVarint, writeVarint } from './varint.ts';
export { Xxh32, xxh32 } from './xxh32.ts';
