// Looks at a whole LTX file: verifies it and tells how it is built, without its content.

import type { ByteSource } from '@skein/bytes';

import type { LtxHeader, LtxVersion } from './header.ts';
import type { LtxPage } from './page-block-parser.ts';
import type { LtxReadOptions } from './parser.ts';
import { LtxReader } from './reader.ts';
import type { LtxTrailer } from './trailer.ts';

export interface LtxSummary {
  readonly version: LtxVersion;
  readonly header: LtxHeader;
  readonly trailer: LtxTrailer;
  readonly pageCount: number;
  readonly sizeBytes: number;
}

/**
 * Reads the file through and checks all that can be checked of it by itself; throws LtxFormatError
 * if it is not in order. `onPage` is called for each page on the way.
 */
export function inspectLtx(
  source: ByteSource,
  options?: LtxReadOptions,
  onPage?: (page: LtxPage) => void,
): LtxSummary {
  const reader = new LtxReader(source, options);
  let pageCount = 0;
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    pageCount += 1;
    onPage?.(page);
  }
  const { version, header, trailer, sizeBytes } = reader;
  return { version, header, trailer, pageCount, sizeBytes };
}
