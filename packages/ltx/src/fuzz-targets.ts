// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// bytes which others wrote. Not part of the package's face.

import { bytesSource, crc64, writeU64be } from '@skein/bytes';

import { CHECKSUM_FLAG, DatabaseChecksum } from './checksum.ts';
import { compact } from './compact.ts';
import { LtxDecoder } from './decoder.ts';
import { LtxFormatError } from './errors.ts';
import { maybeParseLtxFileName } from './file-name.ts';
import type { LtxVersion } from './header.ts';
import { openPageAccess } from './page-access.ts';
import { maybeParsePosition } from './position.ts';
import { LtxReader } from './reader.ts';
import { SAMPLE_FORMATS, type SampleFormat, encodeSample } from './sample-files.ts';

/** Has the shape that the fuzzer declares, which this package, far below it, cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

const [RAW, LZ4, V3, V3_BARE] = SAMPLE_FORMATS as [
  SampleFormat,
  SampleFormat,
  SampleFormat,
  SampleFormat,
];

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'ltx-1', seeds: () => samples(RAW), decode: decodeSealed, isFormatError },
  { name: 'ltx-1-lz4', seeds: () => samples(LZ4), decode: (b) => decode(b, 1), isFormatError },
  {
    name: 'ltx-3',
    seeds: () => [...samples(V3), ...samples(V3_BARE)],
    decode: (bytes) => decode(bytes, 3),
    isFormatError,
  },
  {
    name: 'ltx-any',
    seeds: () => SAMPLE_FORMATS.flatMap(samples),
    decode: (bytes) => decode(bytes),
    isFormatError,
  },
  {
    name: 'ltx-page-access',
    seeds: () => [...samples(RAW), ...samples(V3), ...samples(V3_BARE)],
    decode: readPages,
    isFormatError,
  },
  {
    name: 'ltx-compact',
    seeds: () => samples(V3_BARE).filter((_, i) => i !== 1),
    decode: compactWithNext,
    isFormatError,
  },
  { name: 'ltx-names', seeds: nameSeeds, decode: parseNames, isFormatError },
];

function isFormatError(error: unknown): boolean {
  return error instanceof LtxFormatError;
}

/** A transaction, a snapshot, a deletion. */
function samples(format: SampleFormat): Uint8Array[] {
  return [
    encodeSample(format, { txid: 2, commit: 3, pgnos: [1, 3] }),
    encodeSample(format, { txid: 1, commit: 2, pgnos: [1, 2] }),
    encodeSample(format, { txid: 2, commit: 0, pgnos: [], postApplyChecksum: CHECKSUM_FLAG }),
  ];
}

/** In pieces of a prime length, so that every field is cut sometimes. */
function decode(bytes: Uint8Array, version?: LtxVersion): unknown {
  const pages: number[] = [];
  const checksum = new DatabaseChecksum();
  const seen: unknown[] = [];
  const decoder = new LtxDecoder(
    {
      onHeader: (...header) => seen.push(header),
      onPage(page) {
        pages.push(page.pgno);
        checksum.toggle(page.checksumHi, page.checksumLo);
      },
      onTrailer: (trailer) => seen.push(trailer),
    },
    { version },
  );
  let used = 0;
  for (let at = 0; at < bytes.length; at += 331) {
    used += decoder.push(bytes, at, Math.min(at + 331, bytes.length));
  }
  decoder.finish();
  return { seen, pages, checksum: checksum.value, used };
}

/** If nothing but the file checksum is wrong, puts that right and tries what lies behind it. */
function decodeSealed(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, 1);
  } catch (error) {
    if (!(error instanceof LtxFormatError) || error.code !== 'LTX_FILE_CHECKSUM') throw error;
    const end = error.offset + 8;
    const sealed = bytes.slice();
    writeU64be(sealed, end, crc64(sealed, 0, end) | CHECKSUM_FLAG);
    return decode(sealed, 1);
  }
}

function readPages(bytes: Uint8Array): unknown {
  const access = openPageAccess(bytesSource(bytes), bytes.length);
  const page = new Uint8Array(access.header.pageSize);
  const found = [0, 1, 2, 3, 4].map((pgno) => access.read(pgno, page));
  return { found, pageCount: access.pageCount, hash: crc64(page) };
}

/** What the compacted file is compacted with. */
const NEXT = encodeSample(V3_BARE, { txid: 3, commit: 4, pgnos: [1, 2, 3, 4] });

function compactWithNext(bytes: Uint8Array): unknown {
  const inputs = [bytes, NEXT].map((file) => new LtxReader(bytesSource(file), { version: 3 }));
  let length = 0;
  const options = { version: 3, contiguity: 'overlap' } as const;
  const result = compact(
    inputs,
    (_, start, end) => {
      length += end - start;
    },
    options,
  );
  return { result, length };
}

function nameSeeds(): Uint8Array[] {
  const names = ['000000000000000c/e02c1534eef32203', '0000000000000001-0000000000000abc.ltx'];
  return names.map((name) => Uint8Array.from(name, (char) => char.charCodeAt(0)));
}

function parseNames(bytes: Uint8Array): unknown {
  const text = String.fromCharCode(...bytes.subarray(0, 1000));
  return [maybeParsePosition(text), maybeParseLtxFileName(text)];
}
