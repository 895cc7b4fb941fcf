// Small LTX files for tests, fuzzing and benches. Not part of the package's face.

import { type Checksum, NO_CHECKSUM, toChecksum } from './checksum.ts';
import { LtxEncoder } from './encoder.ts';
import {
  FLAG_LZ4,
  FLAG_NO_CHECKSUM,
  type LtxVersion,
  hasChecksums,
  isSnapshot,
  makeHeader,
} from './header.ts';
import { toTxid } from './txid.ts';

export interface SampleFormat {
  readonly name: string;
  readonly version: LtxVersion;
  readonly flags: number;
}

/** Everything that the encoder writes. */
export const SAMPLE_FORMATS: readonly SampleFormat[] = [
  { name: 'version 1', version: 1, flags: 0 },
  { name: 'version 1 with LZ4', version: 1, flags: FLAG_LZ4 },
  { name: 'version 3', version: 3, flags: 0 },
  { name: 'version 3 without checksums', version: 3, flags: FLAG_NO_CHECKSUM },
];

export interface SampleTransaction {
  /** 1 makes a snapshot. */
  readonly txid: number;
  readonly commit: number;
  /** Numbers of the pages; their bytes are those of samplePage(). */
  readonly pgnos: readonly number[];
  /** 512 unless told. */
  readonly pageSize?: number;
  /** Any, unless told. */
  readonly preApplyChecksum?: Checksum;
  /** That of the pages, unless told. */
  readonly postApplyChecksum?: Checksum;
}

const ANY_CHECKSUM = toChecksum(0x8000000000000bb8n);

/** A page that compresses about as well as one of a table; the seed makes it differ from others. */
export function samplePage(pageSize: number, seed: number): Uint8Array {
  const page = new Uint8Array(pageSize);
  for (let at = 0; at < pageSize; at += 1) {
    const isNoise = at % 64 < 24;
    page[at] = isNoise ? Math.imul(at + seed * 7919, 0x9e3779b1) >>> 24 : 0x61 + (at % 17);
  }
  return page;
}

/** The page that a sample transaction writes under this number. */
export function samplePageOf(transaction: SampleTransaction, pgno: number): Uint8Array {
  return samplePage(transaction.pageSize ?? 512, transaction.txid * 1000 + pgno);
}

export function encodeSample(format: SampleFormat, transaction: SampleTransaction): Uint8Array {
  const { txid, commit, pgnos, pageSize = 512 } = transaction;
  const draft = makeHeader({
    flags: format.flags,
    pageSize,
    commit,
    minTxid: toTxid(txid),
    maxTxid: toTxid(txid),
    timestampMs: 1_700_000_000_000 + txid,
    nodeId: 0x0123456789abcdefn,
  });
  const hasPreApply = hasChecksums(draft) && !isSnapshot(draft);
  const preApplyChecksum = hasPreApply
    ? (transaction.preApplyChecksum ?? ANY_CHECKSUM)
    : NO_CHECKSUM;
  const parts: Uint8Array[] = [];
  const encoder = new LtxEncoder(
    (bytes, start, end) => parts.push(bytes.slice(start, end)),
    { ...draft, preApplyChecksum },
    format.version,
  );
  for (const pgno of pgnos) encoder.writePage(pgno, samplePageOf(transaction, pgno));
  const postApply = transaction.postApplyChecksum ?? encoder.pagesChecksum;
  encoder.finish(hasChecksums(draft) ? postApply : NO_CHECKSUM);
  return concat(parts);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const pageSizes: readonly number[] = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];
