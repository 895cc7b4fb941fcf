// Tells from its first bytes which version a file has: no field says so.
//
// Flags decide where there are any: FLAG_LZ4 is version 1's, FLAG_NO_CHECKSUM version 3's. Without
// flags the first frame decides. Version 3 has flags 0x0001 and a length there, or flags 0 and the
// magic of an LZ4 frame, or, without pages, zeros; version 1 has the first bytes of a page, or,
// without pages, a post-apply checksum, whose highest bit is set.
//
// A page can look like the frame of version 3: an overflow page whose next page is 65,536 or 65,537
// and whose content begins with a small number. Then decoding fails; who knows the version should
// say it.

import { LZ4_FRAME_MAGIC, lz4BlockBound, readU32be, readU32le } from '@skein/bytes';

import { FLAG_LZ4, FLAG_NO_CHECKSUM, type LtxHeader, type LtxVersion } from './header.ts';
import { FRAME_FLAG_LENGTH, FRAME_HEADER_SIZE, PGNO_SIZE } from './page-block.ts';

/** What must be seen of the page block: the header of a frame, and its length or magic. */
export const DETECTION_SIZE: number = FRAME_HEADER_SIZE + 4;

/** The version if the flags tell it. */
export function versionOfFlags(flags: number): LtxVersion | undefined {
  if ((flags & FLAG_LZ4) !== 0) return 1;
  return (flags & FLAG_NO_CHECKSUM) === 0 ? undefined : 3;
}

/** The version of a file without flags whose page block begins at `start`. */
export function versionOfFrame(header: LtxHeader, bytes: Uint8Array, start: number): LtxVersion {
  const pgno = readU32be(bytes, start);
  const flags = readU32be(bytes, start + PGNO_SIZE) >>> 16;
  if (pgno === 0) return flags === 0 ? 3 : 1;
  const dataAt = start + FRAME_HEADER_SIZE;
  if (flags === 0) return readU32le(bytes, dataAt) === LZ4_FRAME_MAGIC ? 3 : 1;
  const length = readU32be(bytes, dataAt);
  const isLength = length > 0 && length <= lz4BlockBound(header.pageSize);
  return flags === FRAME_FLAG_LENGTH && isLength ? 3 : 1;
}
