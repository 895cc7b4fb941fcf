// One LTX file from beginning to end: what it says, or what is wrong with it.

import { basename } from 'node:path';

import {
  checksumFromHalves,
  formatChecksum,
  formatLtxFileName,
  inspectLtx,
  LtxFormatError,
  type LtxSummary,
  maybeParseLtxFileName,
} from '@skein/ltx';

import { openLtxSource } from './ltx-source.ts';

export interface LtxPageLine {
  readonly pgno: number;
  readonly offset: number;
  readonly checksum: string;
}

/** Reads and verifies a file. Throws LtxFormatError for damage, FileError if it cannot be read. */
export function inspectLtxFile(path: string, onPage?: (page: LtxPageLine) => void): LtxSummary {
  const source = openLtxSource(path);
  try {
    const summary = inspectLtx(source, {}, (page) =>
      onPage?.({
        pgno: page.pgno,
        offset: page.frameStart,
        checksum: formatChecksum(checksumFromHalves(page.checksumHi, page.checksumLo)),
      }),
    );
    const { sizeBytes } = summary;
    if (source.hasMoreThan(sizeBytes)) {
      const details = { offset: sizeBytes };
      throw new LtxFormatError('LTX_TRAILER', 'Something follows behind the trailer', details);
    }
    checkName(path, summary);
    return summary;
  } finally {
    source.close();
  }
}

/** A file under another's name would be applied in its place. */
function checkName(path: string, { header }: LtxSummary): void {
  const named = maybeParseLtxFileName(basename(path));
  if (named === undefined) return;
  if (named.minTxid === header.minTxid && named.maxTxid === header.maxTxid) return;
  const expected = formatLtxFileName(header);
  const message = `The header belongs into a file named ${expected}`;
  throw new LtxFormatError('LTX_HEADER', message, { offset: 16 });
}
