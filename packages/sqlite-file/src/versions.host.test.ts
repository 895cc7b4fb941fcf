// Files made, and recovered, by every SQLite that this machine has, each in a process of its own:
// what we read from them is what that SQLite reads.

import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import {
  requireDriver,
  SQLITE_DRIVERS,
  startSqlite,
  tempDir,
  type SqliteProcess,
} from '@skein/testkit';

import { bytesSource } from '@skein/bytes';

import { openHotJournal } from './journal-playback.ts';
import { WalChain } from './wal-frame.ts';
import { readWalHeader } from './wal-header.ts';
import { WAL_INDEX_BLOCK_SIZE, walIndexBlock, type WalIndexBlock } from './wal-index-block.ts';
import { commitToWalIndex } from './wal-index-commit.ts';
import { readWalIndexHeader, type WalIndexHeader } from './wal-index-header.ts';
import { readWalFrames } from './wal-reader.ts';

const PAGE_SIZES = [512, 4096, 65_536];

/** So small a cache that pages are written to the files before the transaction ends. */
const SPILL = ['PRAGMA cache_size = 4', 'PRAGMA cache_spill = 2'];

async function run(client: SqliteProcess, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await client.exec(sql);
}

async function createTable(client: SqliteProcess): Promise<void> {
  await run(client, [
    'CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)',
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO t SELECT i, printf('row %d %.*c', i, 150, 'x') FROM n`,
  ]);
}

/** A copy of its own, unlike a Buffer, whose slice() shares memory. */
function readBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** Leaves before.db, and hot.db with its journal as in the middle of a transaction. */
async function makeHotJournal(
  client: SqliteProcess,
  folder: string,
  pageSize: number,
): Promise<void> {
  const path = join(folder, 'made.db');
  const hot = join(folder, 'hot.db');
  await client.open(path);
  await client.exec(`PRAGMA page_size = ${pageSize}`);
  await createTable(client);
  copyFileSync(path, join(folder, 'before.db'));
  await run(client, [
    ...SPILL,
    'BEGIN',
    "UPDATE t SET body = 'new ' || body",
    'INSERT INTO t (body) SELECT body FROM t',
  ]);
  for (const ending of ['', '-journal']) copyFileSync(path + ending, hot + ending);
  await client.exec('ROLLBACK');
  await client.close();
}

/** Leaves logged.db with its WAL as after a crash, and the wal-index of that moment aside. */
async function makeLog(client: SqliteProcess, folder: string, pageSize: number): Promise<void> {
  const path = join(folder, 'made.db');
  const logged = join(folder, 'logged.db');
  await client.open(path);
  await run(client, [
    `PRAGMA page_size = ${pageSize}`,
    'PRAGMA journal_mode = WAL',
    'PRAGMA wal_autocheckpoint = 0',
  ]);
  await createTable(client);
  await run(client, [
    ...SPILL,
    'BEGIN',
    "UPDATE t SET body = 'once ' || body",
    "UPDATE t SET body = 'twice ' || body",
    'COMMIT',
    'DELETE FROM t WHERE id > 100',
  ]);
  for (const ending of ['', '-wal']) copyFileSync(path + ending, logged + ending);
  copyFileSync(`${path}-shm`, join(folder, 'index'));
  await client.close();
}

/** What the frames of a WAL say that ends with a commit. */
interface Log {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pageCount: number;
  readonly index: WalIndexBlock;
  readonly header: WalIndexHeader;
}

const EMPTY_INDEX: WalIndexHeader = {
  changeCounter: 0,
  bigEndianChecksums: false,
  pageSize: 0,
  mxFrame: 0,
  pageCount: 0,
  frameChecksum1: 0,
  frameChecksum2: 0,
  salt1: 0,
  salt2: 0,
};

function readLog(bytes: Uint8Array, changeCounter: number): Log {
  const source = bytesSource(bytes);
  const wal = readWalHeader(source)!;
  const chain = new WalChain(wal);
  const pgnos: number[] = [];
  const pages = new Map<number, Uint8Array>();
  let pageCount = 0;
  for (const { pgno, commit, page } of readWalFrames(source, chain)) {
    pgnos.push(pgno);
    pages.set(pgno, page.slice());
    pageCount = commit;
  }
  const index = walIndexBlock(new Uint8Array(WAL_INDEX_BLOCK_SIZE), 0);
  const transaction = { pgnos, pageCount, sums: chain.sums };
  const empty = { ...EMPTY_INDEX, changeCounter: changeCounter - 1 };
  const header = commitToWalIndex([index], empty, wal, transaction);
  return { pages, pageCount, index, header };
}

for (const driver of SQLITE_DRIVERS) {
  describe(`SQLite of ${driver}`, () => {
    for (const pageSize of PAGE_SIZES) {
      test(`leaves journals that we play back as it does, page size ${pageSize}`, async (t) => {
        if (!requireDriver(t, driver)) return;
        const folder = tempDir(t);
        const client = startSqlite(t, { driver });
        await makeHotJournal(client, folder, pageSize);
        const hot = join(folder, 'hot.db');
        const before = readBytes(join(folder, 'before.db'));
        const journal = openHotJournal(bytesSource(readBytes(`${hot}-journal`)), pageSize)!;
        const ours = readBytes(hot).slice(0, journal.initialPageCount * pageSize);
        assert.ok(!Buffer.from(before).equals(ours));
        for (const { pgno, page } of journal.records) ours.set(page, (pgno - 1) * pageSize);
        assert.ok(Buffer.from(before).equals(ours));
        await client.open(hot);
        assert.equal(await client.value('SELECT count(*) FROM t'), 2000);
        assert.ok(Buffer.from(before).equals(readBytes(hot)));
      });

      test(`leaves WALs and indexes that we read as it does, page size ${pageSize}`, async (t) => {
        if (!requireDriver(t, driver)) return;
        const folder = tempDir(t);
        const client = startSqlite(t, { driver });
        await makeLog(client, folder, pageSize);
        const logged = join(folder, 'logged.db');
        const index = walIndexBlock(readBytes(join(folder, 'index')), 0);
        const header = readWalIndexHeader(index)!;
        const log = readLog(readBytes(`${logged}-wal`), header.changeCounter);
        assert.deepEqual(header, log.header);
        assert.deepEqual(index.pgnos, log.index.pgnos);
        assert.deepEqual(index.slots, log.index.slots);

        const ours = new Uint8Array(log.pageCount * pageSize);
        ours.set(readBytes(logged).subarray(0, ours.length));
        for (const [pgno, page] of log.pages) ours.set(page, (pgno - 1) * pageSize);
        await client.open(logged);
        await client.exec('PRAGMA wal_checkpoint(TRUNCATE)');
        assert.ok(Buffer.from(ours).equals(readBytes(logged)));
      });
    }
  });
}
