// What readers of LTX files read from: part of this face, though it lives a floor below.
export { type ByteSource, bytesSource, sourceFrom } from '@skein/bytes';
export {
  CHECKSUM_FLAG,
  type Checksum,
  DatabaseChecksum,
  NO_CHECKSUM,
  checksumFromHalves,
  formatChecksum,
  maybeParseChecksum,
  pageChecksum,
  toChecksum,
} from './checksum.ts';
export { type CompactOptions, type Compacted, compact } from './compact.ts';
export { LtxDecoder, type LtxHandler } from './decoder.ts';
export { LtxEncoder } from './encoder.ts';
export { type LtxErrorCode, LtxFormatError } from './errors.ts';
export { type TxidRange, formatLtxFileName, maybeParseLtxFileName } from './file-name.ts';
export {
  FLAG_LZ4,
  FLAG_NO_CHECKSUM,
  HEADER_SIZE,
  type LtxHeader,
  type LtxHeaderFields,
  type LtxVersion,
  decodeHeader,
  hasChecksums,
  isSnapshot,
  makeHeader,
} from './header.ts';
export { type LtxSummary, inspectLtx } from './inspect.ts';
export { type LtxPageAccess, openPageAccess } from './page-access.ts';
export { rawFileSize } from './page-block.ts';
export type { LtxPage } from './page-block-parser.ts';
export { isPageSize, lockPgno } from './page-number.ts';
export type { LtxReadOptions } from './parser.ts';
export { POSITION_ZERO, type Position, formatPosition, maybeParsePosition } from './position.ts';
export { LtxReader, type LtxReaderOptions } from './reader.ts';
export { type LtxTrailer, TRAILER_SIZE, decodeTrailer } from './trailer.ts';
export { type Txid, formatTxid, maybeParseTxid, toTxid } from './txid.ts';
