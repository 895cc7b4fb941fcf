// Our playback of hot journals against SQLite's own, byte for byte: journals of all page sizes and
// of several kinds of transactions, and the same journals damaged.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import { SeededRandom, tempDir } from '@skein/testkit';

import { bytesSource } from '@skein/bytes';

import { openHotJournal } from './journal-playback.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

/** Damaged journals for each scenario. */
const DAMAGES = 40;

/** A database in the middle of a transaction, part of which has been written to its file. */
interface HotDatabase {
  readonly database: Uint8Array;
  readonly journal: Uint8Array;
}

interface Scenario {
  readonly name: string;
  readonly pragmas?: string;
  readonly transaction: string;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'updates, in many segments',
    transaction: "UPDATE t SET body = printf('new %d %.*c', id, 200, 'y')",
  },
  {
    name: 'nested savepoints, one of them rolled back',
    transaction: `SAVEPOINT a; UPDATE t SET body = 'a' || body WHERE id % 2;
      SAVEPOINT b; DELETE FROM t WHERE id % 3; ROLLBACK TO b;
      UPDATE t SET body = body || 'c' WHERE id % 5; RELEASE a`,
  },
  {
    name: 'a database that grows',
    transaction: 'INSERT INTO t SELECT id + 1000000, body || body FROM t',
  },
  {
    name: 'a database that shrinks',
    transaction: 'DELETE FROM t WHERE id > 20; PRAGMA incremental_vacuum',
  },
  {
    name: 'no syncs, hence no count of records',
    pragmas: 'PRAGMA synchronous = OFF',
    transaction: "UPDATE t SET body = printf('off %d', id)",
  },
];

function makeDatabase(path: string, pageSize: number): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = incremental;
    CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${pageSize / 2})
    INSERT INTO t SELECT i, printf('row %d %.*c', i, 150, 'x') FROM n`);
  return db;
}

/** A copy of its own, unlike a Buffer, whose slice() shares memory. */
function readBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** What a crash leaves behind that comes just before the commit. */
function interrupt(db: DatabaseSync, path: string, scenario: Scenario): HotDatabase {
  db.exec('PRAGMA cache_size = 4; PRAGMA cache_spill = 2');
  db.exec(`${scenario.pragmas ?? ''}; BEGIN; ${scenario.transaction}`);
  const hot = { database: readBytes(path), journal: readBytes(`${path}-journal`) };
  db.exec('ROLLBACK');
  return hot;
}

/** The database file after SQLite found it with this journal beside it. */
function rolledBackBySqlite(path: string, { database, journal }: HotDatabase): Uint8Array {
  writeFileSync(path, database);
  writeFileSync(`${path}-journal`, journal);
  const db = new DatabaseSync(path);
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch {
    // A damaged journal may leave a damaged database: what counts here is which bytes it has.
  }
  db.close();
  rmSync(`${path}-journal`, { force: true });
  return readBytes(path);
}

function rolledBackByUs({ database, journal }: HotDatabase, pageSize: number): Uint8Array {
  const hot = openHotJournal(bytesSource(journal), pageSize);
  if (hot === undefined) return database;
  const size = hot.initialPageCount * hot.pageSize;
  // A last page that is there in part, after damage to the page size, SQLite leaves as it is.
  const isShort = database.length < size && database.length + hot.pageSize > size;
  const result = new Uint8Array(isShort ? database.length : size);
  result.set(database.subarray(0, result.length));
  for (const { pgno, page } of hot.records) result.set(page, (pgno - 1) * hot.pageSize);
  return result;
}

/** Cuts the journal off or changes a few bytes, in headers more often than in pages. */
function damage(journal: Uint8Array, random: SeededRandom): Uint8Array {
  const cut = random.bool() ? journal.length : random.int(0, journal.length);
  const damaged = journal.slice(0, cut);
  for (let i = random.int(0, 3); i > 0 && damaged.length > 0; i--) {
    const place = random.int(
      0,
      (random.bool() ? Math.min(damaged.length, 560) : damaged.length) - 1,
    );
    // A much larger old size would make SQLite write a file of terabytes.
    if (place < 16 || place > 18) damaged[place] = random.int(0, 255);
  }
  return damaged;
}

describe('playback of a hot journal equals that of SQLite', () => {
  for (const pageSize of PAGE_SIZES) {
    test(`with pages of ${pageSize} bytes`, (t) => {
      const folder = tempDir(t);
      const path = join(folder, 'made.db');
      const db = makeDatabase(path, pageSize);
      for (const scenario of SCENARIOS) {
        const before = readBytes(path);
        const hot = interrupt(db, path, scenario);
        assert.ok(!Buffer.from(before).equals(hot.database), scenario.name);
        const ours = rolledBackByUs(hot, pageSize);
        const sqlites = rolledBackBySqlite(join(folder, 'found.db'), hot);
        assert.ok(Buffer.from(before).equals(ours), scenario.name);
        assert.ok(Buffer.from(before).equals(sqlites), scenario.name);
      }
      db.close();
    });
  }

  for (const [seed, scenario] of SCENARIOS.entries()) {
    test(`with damaged journals: ${scenario.name} (seed ${seed})`, (t) => {
      const folder = tempDir(t);
      const path = join(folder, 'made.db');
      const db = makeDatabase(path, 512);
      const hot = interrupt(db, path, scenario);
      db.close();
      const random = new SeededRandom(seed);
      for (let i = 0; i < DAMAGES; i++) {
        const damaged = { ...hot, journal: damage(hot.journal, random) };
        const ours = rolledBackByUs(damaged, 512);
        const sqlites = rolledBackBySqlite(join(folder, 'found.db'), damaged);
        assert.ok(Buffer.from(sqlites).equals(ours), `damage ${i}`);
      }
    });
  }
});
