// Our handling of the wal-index against stock SQLite clients that have it mapped, on a plain
// folder: what they write we read, what we write they believe. Clients run in other processes.

import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import { requireDriver, SQLITE_DRIVERS, startSqlite, tempDir } from '@skein/testkit';

import { bytesSource } from '@skein/bytes';

import { databasePageCount, decodeDatabaseHeader, setHeaderMode } from './database-header.ts';
import { WalChain, walFrameOffset, WAL_FRAME_HEADER_SIZE } from './wal-frame.ts';
import { encodeWalHeader, readWalHeader, type WalHeader } from './wal-header.ts';
import {
  appendToWalIndex,
  findWalFrame,
  removeFromWalIndex,
  WAL_INDEX_BLOCK_SIZE,
  walIndexBlock,
  walIndexBlockOf,
  type WalIndexBlock,
} from './wal-index-block.ts';
import { commitToWalIndex, nextWalIndexHeader, type WalTransaction } from './wal-index-commit.ts';
import {
  readWalCheckpointInfo,
  readWalIndexHeader,
  type WalIndexHeader,
} from './wal-index-header.ts';
import { readWalFrames } from './wal-reader.ts';

const PAGE_SIZE = 512;
const INDEX_HEADER_SIZE = 136;

// ---- A wal-index as a file: what is mapped in others' memory is in the page cache, and so here.

interface WalIndexFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly blocks: readonly WalIndexBlock[];
}

/** Reads it with room for the entries of frames up to `frame`. */
function loadIndex(path: string, frame = 1): WalIndexFile {
  const onDisk = readFileSync(path);
  const count = Math.max(onDisk.length / WAL_INDEX_BLOCK_SIZE, walIndexBlockOf(frame) + 1);
  const bytes = new Uint8Array(count * WAL_INDEX_BLOCK_SIZE);
  bytes.set(onDisk);
  const blocks = Array.from({ length: count }, (_, i) => {
    const start = i * WAL_INDEX_BLOCK_SIZE;
    return walIndexBlock(bytes.subarray(start, start + WAL_INDEX_BLOCK_SIZE), i);
  });
  return { path, bytes, blocks };
}

/** Writes the entries, then the second copy of the header, then the first; never the read marks. */
function storeIndex({ path, bytes }: WalIndexFile): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, INDEX_HEADER_SIZE, bytes.length - INDEX_HEADER_SIZE, INDEX_HEADER_SIZE);
  writeSync(fd, bytes, 48, 48, 48);
  writeSync(fd, bytes, 0, 48, 0);
  closeSync(fd);
}

/** Enters all whole transactions that the WAL holds and the index does not know yet. */
function completeIndex(path: string): void {
  const source = bytesSource(readFileSync(`${path}-wal`));
  const wal = readWalHeader(source)!;
  const known = readWalIndexHeader(loadIndex(`${path}-shm`).blocks[0]!)!;
  const chain = chainAfter(wal, known);
  const pgnos: number[] = [];
  let transaction: WalTransaction | undefined;
  for (const { pgno, commit } of readWalFrames(source, chain, known.mxFrame + 1)) {
    pgnos.push(pgno);
    if (commit === 0) continue;
    transaction = { pgnos: [...pgnos], pageCount: commit, sums: chain.sums.slice() };
  }
  if (transaction === undefined) return;
  const index = loadIndex(`${path}-shm`, known.mxFrame + transaction.pgnos.length);
  commitToWalIndex(index.blocks, known, wal, transaction);
  storeIndex(index);
}

/** The chain of the WAL up to the last frame that the index knows. */
function chainAfter(wal: WalHeader, known: WalIndexHeader): WalChain {
  const chain = new WalChain(wal);
  if (known.mxFrame > 0) chain.sums.set([known.frameChecksum1, known.frameChecksum2]);
  return chain;
}

// ---- Appending transactions that happened elsewhere, as a replica does.

type Pages = ReadonlyMap<number, Uint8Array>;

/** Appends a transaction to the WAL file alone; completeIndex() makes it visible. */
function appendToWal(path: string, pages: Pages, pageCount: number): void {
  const known = readWalIndexHeader(loadIndex(`${path}-shm`).blocks[0]!)!;
  const wal = readWalHeader(bytesSource(readFileSync(`${path}-wal`))) ?? beginWal(path);
  const chain = chainAfter(wal, known);
  const frameSize = WAL_FRAME_HEADER_SIZE + PAGE_SIZE;
  const bytes = new Uint8Array(pages.size * frameSize);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [pgno, page] of pages) {
    bytes.set(page, at + WAL_FRAME_HEADER_SIZE);
    const isLast = at + frameSize === bytes.length;
    chain.seal(view, at, pgno, isLast ? pageCount : 0);
    at += frameSize;
  }
  const fd = openSync(`${path}-wal`, 'r+');
  writeSync(fd, bytes, 0, bytes.length, walFrameOffset(known.mxFrame + 1, PAGE_SIZE));
  closeSync(fd);
}

function beginWal(path: string): WalHeader {
  const header = {
    bigEndianChecksums: false,
    pageSize: PAGE_SIZE,
    checkpointSequence: 0,
    salt1: 0x5eed_0001,
    salt2: 0x5eed_0002,
  };
  writeFileSync(`${path}-wal`, encodeWalHeader(header));
  return header;
}

/** The pages in which two states of a database differ. */
function changedPages(before: Uint8Array, after: Uint8Array): Pages {
  const pages = new Map<number, Uint8Array>();
  for (let at = 0; at < after.length; at += PAGE_SIZE) {
    const page = after.subarray(at, at + PAGE_SIZE);
    if (!Buffer.from(page).equals(before.subarray(at, at + PAGE_SIZE))) {
      pages.set(at / PAGE_SIZE + 1, page);
    }
  }
  return pages;
}

/** A database in rollback mode as readers in WAL mode are shown it. */
function readShownAsWal(path: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(path));
  setHeaderMode(bytes, 'wal');
  return bytes;
}

// ---- Tests

/** As removing what lies above mxFrame and rebuilding from the WAL say it must be. */
function assertIndexMatchesWal(path: string): number {
  const source = bytesSource(readFileSync(`${path}-wal`));
  const wal = readWalHeader(source)!;
  const { blocks } = loadIndex(`${path}-shm`);
  const header = readWalIndexHeader(blocks[0]!)!;
  const { mxFrame } = header;
  const chain = new WalChain(wal);
  const newest = new Map<number, number>();
  const pgnos: number[] = [];
  const rebuilt: WalIndexBlock[] = [];
  for (const { frame, pgno, commit } of readWalFrames(source, chain)) {
    const number = walIndexBlockOf(frame);
    rebuilt[number] ??= walIndexBlock(new Uint8Array(WAL_INDEX_BLOCK_SIZE), number);
    appendToWalIndex(rebuilt[number], frame, pgno);
    newest.set(pgno, frame);
    pgnos.push(pgno);
    if (frame < mxFrame) continue;
    const empty = { ...header, mxFrame: 0, changeCounter: header.changeCounter - 1 };
    const all = { pgnos, pageCount: commit, sums: chain.sums };
    assert.deepEqual(nextWalIndexHeader(empty, wal, all), header);
    break;
  }
  removeFromWalIndex(blocks[walIndexBlockOf(mxFrame)]!, mxFrame);
  for (const [i, block] of rebuilt.entries()) {
    assert.deepEqual(blocks[i]!.pgnos, block.pgnos);
    assert.deepEqual(blocks[i]!.slots, block.slots);
  }
  for (const [pgno, frame] of newest) {
    assert.equal(findWalFrame(blocks, pgno, { mxFrame, minFrame: 1 }), frame);
  }
  return mxFrame;
}

describe('the wal-index that a stock client keeps', () => {
  test('has the header and every entry that its WAL asks for, over more than three blocks', (t) => {
    const path = join(tempDir(t), 'live.db');
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0;
      PRAGMA cache_size = 10; PRAGMA cache_spill = 5;
      CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
      INSERT INTO t SELECT i, printf('row %d %.*c', i, 200, 'x') FROM n`);
    // Going over all pages twice in one transaction rewrites frames; a rollback leaves remnants.
    let mxFrame = assertIndexMatchesWal(path);
    while (mxFrame < 4062 + 3 * 4096) {
      db.exec(`BEGIN; UPDATE t SET body = 'a' || body; UPDATE t SET body = 'b' || body; COMMIT`);
      db.exec(`BEGIN; UPDATE t SET body = 'c' || body WHERE id < 3000; ROLLBACK`);
      const next = assertIndexMatchesWal(path);
      assert.ok(next > mxFrame);
      mxFrame = next;
    }
    db.close();
  });

  test('tells how far it was checkpointed, and begins anew with the WAL', (t) => {
    const path = join(tempDir(t), 'live.db');
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);
      PRAGMA wal_checkpoint(PASSIVE)`);
    const mxFrame = assertIndexMatchesWal(path);
    const [first] = loadIndex(`${path}-shm`).blocks;
    const { nBackfill, nBackfillAttempted, readMarks } = readWalCheckpointInfo(first!);
    assert.deepEqual([nBackfill, nBackfillAttempted], [mxFrame, mxFrame]);
    assert.equal(readMarks.length, 5);
    db.exec('INSERT INTO t VALUES (2)');
    assert.equal(assertIndexMatchesWal(path), 1);
    db.close();
  });
});

describe('transactions that we append to a WAL and its index', () => {
  for (const driver of SQLITE_DRIVERS) {
    test(`are seen by a stock client, past two blocks of the index (${driver})`, async (t) => {
      if (!requireDriver(t, driver)) return;
      const folder = tempDir(t);
      const [primaryPath, path] = [join(folder, 'primary.db'), join(folder, 'replica.db')];
      const primary = new DatabaseSync(primaryPath);
      primary.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA synchronous = OFF;
        CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT, n INTEGER); CREATE INDEX i ON t (n);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO t SELECT i, printf('row %d %.*c', i, 300, 'x'), i FROM n`);
      let state = readShownAsWal(primaryPath);
      writeFileSync(path, state);
      const replica = startSqlite(t, { driver });
      await replica.open(path);
      assert.equal(await replica.value('SELECT count(*) FROM t'), 300);

      let frames = 0;
      for (let round = 1; frames < 4062 + 4096 + 500; round++) {
        primary.exec(`UPDATE t SET body = printf('round ${round} %d %.*c', id, id % 400, 'y'),
            n = n + ${round} WHERE id % 7 < 3;
          INSERT INTO t (body, n) VALUES ('new', ${round}); DELETE FROM t WHERE id = ${round}`);
        const next = readShownAsWal(primaryPath);
        const pageCount = databasePageCount(decodeDatabaseHeader(next), next.length);
        appendToWal(path, changedPages(state, next), pageCount);
        completeIndex(path);
        state = next;
        const digest = 'SELECT sum(id * n + length(body)) AS digest FROM t';
        assert.equal(await replica.value(digest), primary.prepare(digest).get()!['digest']);
        frames = assertIndexMatchesWal(path);
      }
      assert.equal(await replica.value('PRAGMA integrity_check'), 'ok');

      // The client takes over where we stopped: it writes, we read; then it checkpoints all.
      await replica.exec("INSERT INTO t (body, n) VALUES ('by the client', 0)");
      assert.ok(assertIndexMatchesWal(path) > frames);
      await replica.exec('DELETE FROM t WHERE n = 0');
      await replica.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      const rows = await replica.exec('SELECT id, body, n FROM t ORDER BY id');
      const expected = primary.prepare('SELECT id, body, n FROM t ORDER BY id').all();
      assert.deepEqual(
        rows,
        expected.map(({ id, body, n }) => [id, body, n]),
      );
      assert.equal(await replica.value('PRAGMA integrity_check'), 'ok');
      primary.close();
    });
  }

  test('make the same database file at a checkpoint as where they come from', async (t) => {
    const folder = tempDir(t);
    const [primaryPath, path] = [join(folder, 'primary.db'), join(folder, 'replica.db')];
    const primary = new DatabaseSync(primaryPath);
    primary.exec(`PRAGMA page_size = ${PAGE_SIZE}; CREATE TABLE t (a)`);
    let state = readShownAsWal(primaryPath);
    writeFileSync(path, state);
    const replica = startSqlite(t, { driver: 'node-sqlite' });
    await replica.open(path);
    await replica.exec('SELECT * FROM t');
    const growAndShrink = [
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO t SELECT hex(zeroblob(100)) || i FROM n`,
      'DELETE FROM t WHERE rowid > 50',
      'VACUUM',
    ];
    for (const sql of growAndShrink) {
      primary.exec(sql);
      const next = readShownAsWal(primaryPath);
      appendToWal(path, changedPages(state, next), next.length / PAGE_SIZE);
      completeIndex(path);
      state = next;
    }
    await replica.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    assert.ok(Buffer.from(state).equals(readFileSync(path)));
    primary.close();
  });
});

describe('a client that dies between its commit frame and the index', () => {
  for (const driver of SQLITE_DRIVERS) {
    test(`has committed once we completed the index, and not before (${driver})`, async (t) => {
      if (!requireDriver(t, driver)) return;
      const path = join(tempDir(t), 'shared.db');
      const witness = startSqlite(t, { driver });
      await witness.open(path);
      await witness.exec('PRAGMA journal_mode = WAL');
      await witness.exec('CREATE TABLE t (a)');
      const victim = startSqlite(t, { driver });
      await victim.open(path);
      await victim.exec("INSERT INTO t VALUES ('before')");

      // The state of its death: frames in the WAL, the index as it was.
      const index = loadIndex(`${path}-shm`);
      await victim.exec("INSERT INTO t VALUES ('lost?')");
      await victim.kill();
      storeIndex(index);
      assert.deepEqual(await witness.exec('SELECT a FROM t'), [['before']]);

      completeIndex(path);
      assert.deepEqual(await witness.exec('SELECT a FROM t'), [['before'], ['lost?']]);
      await witness.exec("INSERT INTO t VALUES ('after')");
      assertIndexMatchesWal(path);
      assert.deepEqual(await witness.exec('SELECT a FROM t'), [['before'], ['lost?'], ['after']]);
      assert.equal(await witness.value('PRAGMA integrity_check'), 'ok');
    });
  }
});
