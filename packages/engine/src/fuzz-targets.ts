// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// what is on the disk. Not part of the package's face.
//
// All of it carries a CRC, behind which no mutation gets: so the CRC is put right first, and what
// lies behind it is tried with every field wrong.

import { bytesSource, crc64, writeU64be } from '@skein/bytes';

import { encodeAtomic, maybeDecodeAtomic } from './data-folder/atomic-file.ts';
import { encodeRecordHeader, RECORD_PREFIX_BYTES, type RecordEntry } from './log/record.ts';
import { maybeReadAnyRecord } from './log/record-reader.ts';
import {
  encodeSegmentHeader,
  encodeSegmentSeal,
  maybeDecodeSegmentHeader,
  maybeDecodeSegmentSeal,
  SEGMENT_BLOCK_BYTES,
} from './log/segment-header.ts';
import { SegmentIndex } from './log/segment-index.ts';
import { blockBytes, encodeChecksumHeader, isChecksumHeader } from './pages/checksum-block.ts';
import { maybeDecodeCheckpoint } from './recovery/checkpoint-file.ts';

/** Has the shape that the fuzzer declares, which this package cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

const CRC_BYTES = 8;

const ENTRIES: readonly RecordEntry[] = [
  { database: 'app.db', ltxBytes: 700, minTxid: 1n, maxTxid: 1n, besideId: undefined },
  { database: 'Gänse', ltxBytes: 2 ** 40, minTxid: 7n, maxTxid: 7n, besideId: 99n },
];

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'log-record', seeds: recordSeeds, decode: decodeRecord, isFormatError },
  { name: 'log-segment', seeds: segmentSeeds, decode: decodeSegmentBlock, isFormatError },
  { name: 'log-index', seeds: indexSeeds, decode: decodeIndex, isFormatError },
  { name: 'checksum-sidecar', seeds: sidecarSeeds, decode: decodeSidecar, isFormatError },
  { name: 'small-file', seeds: smallFileSeeds, decode: decodeSmallFile, isFormatError },
];

/** None of them throws: what is damaged is undefined. */
function isFormatError(): boolean {
  return false;
}

function recordSeeds(): Uint8Array[] {
  const fields = { lsn: 5, durableLsn: 4, link: 77n, epoch: 1, timestampMs: 1_767_225_600_000 };
  return [ENTRIES, ENTRIES.slice(0, 1), ENTRIES.slice(1)].map((entries) =>
    encodeRecordHeader({ ...fields, entries }),
  );
}

/** As it is, and with the CRC put right at the end of what it says is the header. */
function decodeRecord(bytes: Uint8Array): unknown {
  const sealed = bytes.slice();
  if (sealed.length >= RECORD_PREFIX_BYTES) {
    const size = new DataView(sealed.buffer).getUint32(4);
    if (size >= CRC_BYTES && size <= sealed.length) sealAt(sealed, size - CRC_BYTES);
  }
  return [bytes, sealed].map((each) => {
    const source = bytesSource(each);
    return maybeReadAnyRecord(
      {
        read: (_op, into, offset, length, position) => source.read(into, offset, length, position),
      },
      0,
    );
  });
}

function segmentSeeds(): Uint8Array[] {
  return [
    encodeSegmentHeader({ sequence: 3, firstLsn: 17, link: 5n }),
    encodeSegmentSeal({
      sequence: 3,
      lastLsn: 20,
      end: 5000,
      lastTimestampMs: 1_767_225_600_000,
      indexBytes: 120,
    }),
  ];
}

function decodeSegmentBlock(bytes: Uint8Array): unknown {
  const block = new Uint8Array(SEGMENT_BLOCK_BYTES);
  block.set(bytes.subarray(0, SEGMENT_BLOCK_BYTES));
  const sealed = block.slice();
  sealAt(sealed, SEGMENT_BLOCK_BYTES - CRC_BYTES);
  return [block, sealed].map((each) => [
    maybeDecodeSegmentHeader(each),
    maybeDecodeSegmentSeal(each),
  ]);
}

function indexSeeds(): Uint8Array[] {
  const index = new SegmentIndex();
  for (let n = 0; n < 5; n++) index.add(n + 1, 4096 + n * 800, ENTRIES);
  return [index.encode(), new SegmentIndex().encode()];
}

function decodeIndex(bytes: Uint8Array): unknown {
  const sealed = bytes.slice();
  if (sealed.length >= CRC_BYTES) sealAt(sealed, sealed.length - CRC_BYTES);
  return [bytes, sealed].map((each) => {
    const index = SegmentIndex.maybeDecode(each);
    if (index === undefined) return undefined;
    const { recordCount, databases, besideIds } = index;
    const offsets = Array.from({ length: recordCount }, (_, n) => index.offsetOf(n));
    return { offsets, databases: [...databases], besideIds };
  });
}

function sidecarSeeds(): Uint8Array[] {
  return [blockBytes(encodeChecksumHeader(4096))];
}

function decodeSidecar(bytes: Uint8Array): unknown {
  const block = encodeChecksumHeader(512);
  const into = blockBytes(block);
  into.set(bytes.subarray(0, into.length));
  return isChecksumHeader(block, 4096);
}

function smallFileSeeds(): Uint8Array[] {
  const checkpoint = {
    version: 1,
    pageSize: 4096,
    pageCount: 12,
    txid: '000000000000000c',
    checksum: 'e02c1534eef32203',
    lsn: 40,
  };
  return [encodeAtomic(JSON.stringify(checkpoint)), encodeAtomic('{"uid":0}')];
}

/** As it is, and with its first line under a CRC of its own. */
function decodeSmallFile(bytes: Uint8Array): unknown {
  const [line = ''] = new TextDecoder().decode(bytes).split('\n');
  return [bytes, encodeAtomic(line)].map((each) => {
    const value = maybeDecodeAtomic(each);
    return value === undefined ? undefined : maybeDecodeCheckpoint(value);
  });
}

function sealAt(bytes: Uint8Array, crcAt: number): void {
  writeU64be(bytes, crcAt, crc64(bytes, 0, crcAt));
}
