// Real files of SQLite (testdata/README.md) against what SQLite made of them.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { bytesSource } from '@skein/bytes';

import { databasePageCount, decodeDatabaseHeader } from './database-header.ts';
import { openHotJournal } from './journal-playback.ts';
import { WalChain } from './wal-frame.ts';
import { readWalHeader } from './wal-header.ts';
import {
  appendToWalIndex,
  findWalFrame,
  removeFromWalIndex,
  WAL_INDEX_BLOCK_SIZE,
  walIndexBlock,
} from './wal-index-block.ts';
import { nextWalIndexHeader } from './wal-index-commit.ts';
import { readWalIndexHeader, type WalIndexHeader } from './wal-index-header.ts';
import { readWalFrames } from './wal-reader.ts';

const TESTDATA = join(import.meta.dirname, '..', 'testdata');

/** A database file of `pageCount` pages that starts as `bytes` do. */
function resized(bytes: Uint8Array, pageCount: number, pageSize: number): Uint8Array {
  const result = new Uint8Array(pageCount * pageSize);
  result.set(bytes.subarray(0, result.length));
  return result;
}

function testJournal(read: (name: string) => Uint8Array): void {
  test('is rolled back to the database before the transaction', () => {
    const bytes = read('hot.db-journal');
    const { pageSize } = decodeDatabaseHeader(read('hot.db'));
    const journal = openHotJournal(bytesSource(bytes), pageSize);
    const database = resized(read('hot.db'), journal!.initialPageCount, pageSize);
    for (const { pgno, page } of journal!.records) database.set(page, (pgno - 1) * pageSize);
    assert.deepEqual(database, read('before.db'));
    const header = decodeDatabaseHeader(database);
    assert.equal(databasePageCount(header, database.length), journal!.initialPageCount);
  });
}

function testWal(read: (name: string) => Uint8Array): void {
  const source = bytesSource(read('log.db-wal'));
  const header = readWalHeader(source)!;
  const block = walIndexBlock(read('log.db-shm').slice(0, WAL_INDEX_BLOCK_SIZE), 0);
  const indexHeader = readWalIndexHeader(block)!;

  test('holds committed frames that make the database after the checkpoint', () => {
    let database = read('log.db');
    let pending: { pgno: number; page: Uint8Array }[] = [];
    for (const { pgno, commit, page } of readWalFrames(source, new WalChain(header))) {
      pending.push({ pgno, page: page.slice() });
      if (commit === 0) continue;
      database = resized(database, commit, header.pageSize);
      for (const frame of pending) database.set(frame.page, (frame.pgno - 1) * header.pageSize);
      pending = [];
    }
    assert.deepEqual(database, read('after.db'));
  });

  test('has an index that says the same as its last commit frame', () => {
    const chain = new WalChain(header);
    const pgnos: number[] = [];
    let expected: WalIndexHeader | undefined;
    for (const { pgno, commit } of readWalFrames(source, chain)) {
      pgnos.push(pgno);
      if (commit === 0) continue;
      const empty = { ...indexHeader, mxFrame: 0, changeCounter: indexHeader.changeCounter - 1 };
      expected = nextWalIndexHeader(empty, header, { pgnos, pageCount: commit, sums: chain.sums });
    }
    assert.deepEqual(expected, indexHeader);
  });

  test('has an index with the very entries that appending its frames gives', () => {
    const rebuilt = walIndexBlock(new Uint8Array(WAL_INDEX_BLOCK_SIZE), 0);
    const newest = new Map<number, number>();
    for (const { frame, pgno } of readWalFrames(source, new WalChain(header))) {
      if (frame > indexHeader.mxFrame) break;
      appendToWalIndex(rebuilt, frame, pgno);
      newest.set(pgno, frame);
    }
    removeFromWalIndex(block, indexHeader.mxFrame);
    assert.deepEqual(block.pgnos, rebuilt.pgnos);
    assert.deepEqual(block.slots, rebuilt.slots);
    const snapshot = { mxFrame: indexHeader.mxFrame, minFrame: 1 };
    for (const [pgno, frame] of newest) {
      assert.equal(findWalFrame([block], pgno, snapshot), frame);
    }
  });
}

for (const entry of readdirSync(TESTDATA, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const folder = join(TESTDATA, entry.name);
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));
  describe(entry.name, () => {
    const isJournal = existsSync(join(folder, 'hot.db-journal'));
    if (isJournal) testJournal(read);
    else testWal(read);
  });
}
