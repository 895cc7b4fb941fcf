// How fast are the codecs that every transaction passes through?
//
// In MB (10^6 bytes) of page content a second, over the pages of a SQLite database of rows of text
// with an index. Decoding includes all checks. Run by `npm run bench -- codec`.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import {
  Crc64,
  Lz4BlockDecoder,
  Lz4BlockEncoder,
  bytesSource,
  lz4BlockBound,
  xxh32,
} from '@skein/bytes';
import {
  FLAG_LZ4,
  FLAG_NO_CHECKSUM,
  LtxDecoder,
  LtxEncoder,
  LtxReader,
  type LtxVersion,
  compact,
  hasChecksums,
  makeHeader,
  toChecksum,
  toTxid,
} from '@skein/ltx';

import { parseBenchArguments } from './lib/arguments.ts';
import { type BenchCase, measure, rate } from './lib/measure.ts';
import { formatTable, report } from './lib/report.ts';

const PAGE_SIZE = 4096;
const ROW_COUNT = 20_000;
const CASE_MS = 150;
/** As a stream or a log hands them over. */
const CHUNK_BYTES = 65_536;

const WORDS = `the quick brown fox jumps over a lazy dog while some people read about databases and
  how a log of pages is sent to other nodes, where readers see it`.split(/\s+/);

/** The pages of a database such as an application has; the same in every run. */
function makeDatabase(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  try {
    const path = join(folder, 'text.db');
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA synchronous = OFF`);
    db.exec('CREATE TABLE note (id INTEGER PRIMARY KEY, author TEXT, at INTEGER, body TEXT)');
    db.exec('CREATE INDEX note_author ON note (author); BEGIN');
    let state = 1;
    const pick = (count: number): number => {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      return ((state >>> 8) & 0xffff) % count;
    };
    const insert = db.prepare('INSERT INTO note VALUES (?, ?, ?, ?)');
    for (let id = 1; id <= ROW_COUNT; id += 1) {
      const body = Array.from({ length: 20 + pick(20) }, () => WORDS[pick(WORDS.length)]);
      const author = `user${pick(5000)}@example${pick(50)}.org`;
      insert.run(id, author, 1_700_000_000 + id * 60 + pick(60), body.join(' '));
    }
    db.exec('COMMIT');
    db.close();
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const database = makeDatabase();
const pageCount = database.length / PAGE_SIZE;
const output = new Uint8Array(database.length * 2);

interface Format {
  readonly name: string;
  readonly version: LtxVersion;
  readonly flags: number;
  readonly target?: number;
}

const FORMATS: readonly Format[] = [
  { name: 'LTX version 1, raw', version: 1, flags: 0, target: 400 },
  { name: 'LTX version 1, LZ4', version: 1, flags: FLAG_LZ4 },
  { name: 'LTX version 3', version: 3, flags: FLAG_NO_CHECKSUM, target: 150 },
];

/** Writes the database as one transaction into `output`; returns its length. */
function encode(format: Format, txid: number): number {
  let length = 0;
  const draft = makeHeader({
    flags: format.flags,
    pageSize: PAGE_SIZE,
    commit: pageCount,
    minTxid: toTxid(txid),
    maxTxid: toTxid(txid),
  });
  const checksum = toChecksum(hasChecksums(draft) ? 1n << 63n : 0n);
  const encoder = new LtxEncoder(
    (bytes, start, end) => {
      output.set(bytes.subarray(start, end), length);
      length += end - start;
    },
    { ...draft, preApplyChecksum: checksum },
    format.version,
  );
  for (let page = 0; page < pageCount; page += 1) {
    encoder.writePage(page + 1, database, page * PAGE_SIZE);
  }
  encoder.finish(checksum);
  return length;
}

function encoded(format: Format, txid: number): Uint8Array {
  return output.slice(0, encode(format, txid));
}

function decode(file: Uint8Array): void {
  const decoder = new LtxDecoder({ onHeader() {}, onPage() {}, onTrailer() {} });
  for (let at = 0; at < file.length; at += CHUNK_BYTES) {
    decoder.push(file, at, Math.min(at + CHUNK_BYTES, file.length));
  }
  decoder.finish();
}

/** A case of which one run goes over the whole database `times` times. */
function throughput(name: string, work: () => void, target?: number, times = 1): BenchCase {
  const megabytes = (database.length * times) / 1e6;
  const run = (): number => rate(CASE_MS, work) * megabytes;
  return { name, unit: 'MB/s', run, ...(target === undefined ? {} : { target }) };
}

function forEachPage(work: (start: number, end: number) => void): () => void {
  return () => {
    for (let start = 0; start < database.length; start += PAGE_SIZE) work(start, start + PAGE_SIZE);
  };
}

function primitiveCases(): BenchCase[] {
  const crc = new Crc64();
  const compressor = new Lz4BlockEncoder();
  const decompressor = new Lz4BlockDecoder();
  const block = new Uint8Array(lz4BlockBound(PAGE_SIZE));
  const page = new Uint8Array(PAGE_SIZE);
  const blocks: Uint8Array[] = [];
  const compress = (start: number, end: number): number =>
    compressor.encode(database, start, end, block, 0);
  forEachPage((start, end) => blocks.push(block.slice(0, compress(start, end))))();
  return [
    throughput(
      'CRC-64 of pages',
      forEachPage((start, end) => {
        crc.reset();
        crc.update(database, start, end);
      }),
      1000,
    ),
    throughput('xxHash32', () => xxh32(database)),
    throughput('LZ4 block of a page, compress', forEachPage(compress)),
    throughput('LZ4 block of a page, decompress', () => {
      for (const each of blocks) decompressor.decode(each, 0, each.length, page, 0);
    }),
  ];
}

function formatCases(format: Format): BenchCase[] {
  const file = encoded(format, 2);
  return [
    throughput(`${format.name}, encode`, () => encode(format, 2), format.target),
    throughput(`${format.name}, decode`, () => decode(file), format.target),
  ];
}

function compactionCase(): BenchCase {
  const files = [2, 3, 4, 5].map((txid) => encoded(FORMATS[0]!, txid));
  const run = (): void => {
    const readers = files.map((file) => new LtxReader(bytesSource(file)));
    compact(readers, () => {});
  };
  return throughput('Compaction of 4 files of version 1', run, undefined, files.length);
}

const args = parseBenchArguments(process.argv.slice(2), 7);
const cases = [...primitiveCases(), ...FORMATS.flatMap(formatCases), compactionCase()];
const results = measure(cases, args.rounds);
report({ bench: 'codec', text: formatTable(results), results }, args);
