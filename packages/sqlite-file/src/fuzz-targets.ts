// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// bytes which others wrote. Not part of the package's face.

import { bytesSource } from '@skein/bytes';

import { databasePageCount, decodeDatabaseHeader } from './database-header.ts';
import { SqliteFormatError } from './errors.ts';
import { decodeJournalHeader, RECORDS_TO_END, type JournalHeader } from './journal-header.ts';
import { openHotJournal } from './journal-playback.ts';
import {
  sampleDatabaseHeader,
  sampleJournal,
  sampleWal,
  sampleWalIndex,
  type SamplePage,
} from './sample-files.ts';
import {
  decodeSuperJournal,
  encodeSuperJournalPointer,
  readSuperJournalName,
} from './super-journal.ts';
import { WalChain } from './wal-frame.ts';
import { decodeWalHeader, readWalHeader, type WalHeader } from './wal-header.ts';
import {
  appendToWalIndex,
  findWalFrame,
  removeFromWalIndex,
  WAL_INDEX_BLOCK_SIZE,
  walIndexBlock,
  type WalIndexBlock,
} from './wal-index-block.ts';
import { readWalCheckpointInfo, readWalIndexHeader } from './wal-index-header.ts';
import { readWalFrames } from './wal-reader.ts';

/** Has the shape that the fuzzer declares, which this package, far below it, cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

const WAL: WalHeader = {
  bigEndianChecksums: false,
  pageSize: 512,
  checkpointSequence: 2,
  salt1: 11,
  salt2: 22,
};

const JOURNAL: Omit<JournalHeader, 'recordCount'> = {
  nonce: 5,
  initialPageCount: 9,
  sectorSize: 512,
  pageSize: 512,
};

const PAGES: readonly SamplePage[] = [{ pgno: 1 }, { pgno: 7 }, { pgno: 2, commit: 9 }];

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'database-header',
    seeds: () => [sampleDatabaseHeader()],
    decode: (bytes) => databasePageCount(decodeDatabaseHeader(bytes), 1234 * 4096),
    isFormatError,
  },
  { name: 'rollback-journal', seeds: journalSeeds, decode: decodeJournal, isFormatError },
  { name: 'wal', seeds: walSeeds, decode: decodeWal, isFormatError },
  {
    name: 'wal-index',
    seeds: () => [sampleWalIndex(WAL, [1, 7, 2, 8194, 1])],
    decode: useWalIndex,
    isFormatError,
  },
];

function isFormatError(error: unknown): boolean {
  return error instanceof SqliteFormatError;
}

function journalSeeds(): Uint8Array[] {
  const toEnd = sampleJournal(JOURNAL, [{ pages: PAGES, recordCount: RECORDS_TO_END }]);
  const segments = sampleJournal({ ...JOURNAL, sectorSize: 32 }, [
    { pages: PAGES.slice(0, 1) },
    { pages: [] },
    { pages: PAGES.slice(1) },
  ]);
  const name = Uint8Array.from('/a/b-mj01234597F', (char) => char.charCodeAt(0));
  return [toEnd, segments, Uint8Array.of(...toEnd, ...encodeSuperJournalPointer(name, 512))];
}

function decodeJournal(bytes: Uint8Array): unknown {
  const source = bytesSource(bytes);
  const name = readSuperJournalName(source, bytes.length);
  const children = decodeSuperJournal(bytes);
  const journal = openHotJournal(source, 512);
  const pgnos = journal && Array.from(journal.records, ({ pgno }) => pgno);
  return { name, children, pgnos, header: decodeJournalHeader(bytes) };
}

function walSeeds(): Uint8Array[] {
  return [sampleWal(WAL, PAGES), sampleWal({ ...WAL, bigEndianChecksums: true }, PAGES)];
}

function decodeWal(bytes: Uint8Array): unknown {
  const source = bytesSource(bytes);
  const header = readWalHeader(source);
  if (header === undefined) return decodeWalHeader(bytes);
  return Array.from(readWalFrames(source, new WalChain(header)), ({ pgno }) => pgno);
}

/** Reads and changes the index as a writer would that finds it in this state. */
function useWalIndex(bytes: Uint8Array): unknown {
  const blocks = walIndexBlocks(bytes);
  const [first] = blocks;
  const header = readWalIndexHeader(first!);
  const { nBackfill } = readWalCheckpointInfo(first!);
  const mxFrame = Math.min(header?.mxFrame ?? 5, first!.pgnos.length - 1);
  const snapshot = { mxFrame, minFrame: nBackfill + 1 };
  const frames = PAGES.map(({ pgno }) => findWalFrame(blocks, pgno, snapshot));
  if (mxFrame > 0) removeFromWalIndex(first!, mxFrame);
  appendToWalIndex(first!, mxFrame + 1, 8194);
  return frames;
}

/** The last block filled up with zeros, as memory is behind the end of a file. */
function walIndexBlocks(bytes: Uint8Array): WalIndexBlock[] {
  const count = Math.max(Math.ceil(bytes.length / WAL_INDEX_BLOCK_SIZE), 1);
  const memory = new Uint8Array(count * WAL_INDEX_BLOCK_SIZE);
  memory.set(bytes);
  return Array.from({ length: count }, (_, i) => {
    const start = i * WAL_INDEX_BLOCK_SIZE;
    return walIndexBlock(memory.subarray(start, start + WAL_INDEX_BLOCK_SIZE), i);
  });
}
