// The trailer of an LTX file: post-apply checksum, then file checksum. Integers big-endian; on
// disk: cannot change.

import { readU64be, writeU64be } from '@skein/bytes';

import { type Checksum, CHECKSUM_FLAG, NO_CHECKSUM, formatChecksum } from './checksum.ts';
import { LtxFormatError } from './errors.ts';
import { type LtxHeader, hasChecksums, isSnapshot } from './header.ts';

export const TRAILER_SIZE = 16;

/** The part of the trailer that the file checksum covers. */
export const TRAILER_CHECKED_SIZE = 8;

export interface LtxTrailer {
  /** Checksum of the whole database after the last transaction of the file. */
  readonly postApplyChecksum: Checksum;
  /** Checksum of the file up to here, uncompressed. */
  readonly fileChecksum: Checksum;
}

export function encodeTrailer(trailer: LtxTrailer): Uint8Array {
  const bytes = new Uint8Array(TRAILER_SIZE);
  writeU64be(bytes, 0, trailer.postApplyChecksum);
  writeU64be(bytes, TRAILER_CHECKED_SIZE, trailer.fileChecksum);
  return bytes;
}

export function decodeTrailer(bytes: Uint8Array, offset: number = 0): LtxTrailer {
  return {
    postApplyChecksum: readU64be(bytes, offset) as Checksum,
    fileChecksum: readU64be(bytes, offset + TRAILER_CHECKED_SIZE) as Checksum,
  };
}

/**
 * Throws unless a file with this header and with pages of this checksum may have this post-apply
 * checksum. `offset` is that of the trailer. Both directions go through here.
 */
export function checkPostApply(
  header: LtxHeader,
  checksum: Checksum,
  pagesChecksum: Checksum,
  offset: number,
): void {
  if (!hasChecksums(header)) {
    check(checksum === NO_CHECKSUM, 'a post-apply checksum where none may be', checksum, offset);
    return;
  }
  check(checksum >= CHECKSUM_FLAG, 'not a post-apply checksum', checksum, offset);
  if (header.commit === 0) {
    check(checksum === CHECKSUM_FLAG, 'not that of a deleted database', checksum, offset);
  }
  if (!isSnapshot(header) || checksum === pagesChecksum) return;
  const message = 'LTX snapshot is corrupt: its pages fail the post-apply checksum';
  const details = { offset, expected: checksum, actual: pagesChecksum };
  throw new LtxFormatError('LTX_DATABASE_CHECKSUM', message, details);
}

function check(isGood: boolean, problem: string, actual: Checksum, offset: number): void {
  if (isGood) return;
  const message = `LTX trailer is invalid: ${problem}: ${formatChecksum(actual)}`;
  throw new LtxFormatError('LTX_TRAILER', message, { offset, actual });
}
