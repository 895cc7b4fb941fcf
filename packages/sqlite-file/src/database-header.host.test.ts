// Which headers are accepted, and how many pages they stand for: SQLite is asked about the same
// files.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';

import { tempDir } from '@skein/testkit';

import {
  bumpChangeCounter,
  bumpSchemaCookie,
  databasePageCount,
  decodeDatabaseHeader,
  isDatabaseHeader,
  setHeaderMode,
} from './database-header.ts';
import { SqliteFormatError } from './errors.ts';

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

const ENDINGS = ['', '-journal', '-wal', '-shm'];

function makeDatabase(t: TestContext, sql: string): { path: string; bytes: Uint8Array } {
  const path = join(tempDir(t), 'made.db');
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  return { path, bytes: new Uint8Array(readFileSync(path)) };
}

/** What SQLite makes of a file: its number of pages, or the code of the error. */
function askSqlite(path: string, bytes: Uint8Array): { pageCount?: unknown; errcode?: unknown } {
  for (const ending of ENDINGS) rmSync(path + ending, { force: true });
  writeFileSync(path, bytes);
  const db = new DatabaseSync(path);
  try {
    return { pageCount: db.prepare('PRAGMA page_count').get()?.['page_count'] };
  } catch (error) {
    return { errcode: (error as { errcode?: unknown }).errcode };
  } finally {
    db.close();
  }
}

/** What we make of it, in SQLite's terms. */
function askUs(bytes: Uint8Array): { pageCount?: unknown; errcode?: unknown } {
  try {
    return { pageCount: databasePageCount(decodeDatabaseHeader(bytes), bytes.length) };
  } catch (error) {
    assert.ok(error instanceof SqliteFormatError);
    const isTruncated = isDatabaseHeader(bytes) && error.code === 'SQLITE_FILE_TRUNCATED';
    return { errcode: isTruncated ? SQLITE_CORRUPT : SQLITE_NOTADB };
  }
}

/** Behind the header SQLite may find more to object to, such as cells beyond a smaller page. */
function assertAgreed(path: string, bytes: Uint8Array, what: string): unknown {
  const ours = askUs(bytes);
  const sqlites = askSqlite(path, bytes);
  if (ours.errcode !== undefined || sqlites.errcode === undefined) {
    assert.deepEqual(ours, sqlites, what);
  } else {
    assert.notEqual(sqlites.errcode, SQLITE_NOTADB, what);
  }
  return ours.errcode;
}

describe('a database header is judged as by SQLite', () => {
  const setup = `PRAGMA page_size = 1024; CREATE TABLE t (a);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
    INSERT INTO t SELECT zeroblob(100) FROM n`;

  test('with any byte of it changed to any of several values', (t) => {
    const { path, bytes } = makeDatabase(t, setup);
    const verdicts = new Set<unknown>();
    for (let offset = 0; offset < 100; offset++) {
      for (const value of [0, 1, 2, 3, 4, 0x10, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[offset] = value;
        verdicts.add(assertAgreed(path, changed, `byte ${offset} is ${value}`));
      }
    }
    assert.deepEqual(verdicts, new Set([undefined, SQLITE_CORRUPT, SQLITE_NOTADB]));
  });

  test('with every size of page and reserved bytes', (t) => {
    const { path, bytes } = makeDatabase(t, setup);
    for (let power = 8; power <= 16; power++) {
      for (const reserved of [0, 32, 33, 255]) {
        const changed = bytes.slice();
        new DataView(changed.buffer).setUint16(16, power === 16 ? 1 : 2 ** power);
        changed[20] = reserved;
        // Nothing in the header says how many pages there are: the file does, rounded up.
        changed.fill(0, 28, 32);
        assertAgreed(path, changed, `page size 2**${power}, reserved ${reserved}`);
      }
    }
  });

  test('with the file cut off anywhere behind the header', (t) => {
    const { path, bytes } = makeDatabase(t, setup);
    for (let length = 100; length <= bytes.length; length += 97) {
      const cut = bytes.subarray(0, length);
      assert.deepEqual(askUs(cut), askSqlite(path, cut), `${length} bytes`);
    }
  });
});

describe('a header that SQLite wrote', () => {
  test('is decoded to what was set by PRAGMA', (t) => {
    const { bytes } = makeDatabase(
      t,
      `PRAGMA page_size = 65536; PRAGMA auto_vacuum = incremental; PRAGMA encoding = 'UTF-16le';
       PRAGMA journal_mode = WAL; PRAGMA application_id = -5; PRAGMA user_version = 77;
       CREATE TABLE t (a); CREATE TABLE u (a); DROP TABLE t; PRAGMA default_cache_size = 123`,
    );
    const header = decodeDatabaseHeader(bytes);
    assert.equal(header.pageSize, 65_536);
    assert.equal(header.mode, 'wal');
    assert.equal(header.writeVersion, 2);
    assert.equal(header.textEncoding, 2);
    assert.equal(header.applicationId, -5);
    assert.equal(header.userVersion, 77);
    assert.equal(header.incrementalVacuum, true);
    assert.ok(header.largestRootPage > 0);
    assert.equal(header.freelistCount, 1);
    assert.ok(header.freelistTrunk > 0);
    assert.equal(header.schemaCookie, 3);
    assert.equal(header.schemaFormat, 4);
    assert.equal(header.defaultCacheSize, 123);
    assert.equal(header.versionValidFor, header.changeCounter);
    assert.equal(header.pageCount, bytes.length / 65_536);
    assert.match(String(header.sqliteVersion), /^3\d{6}$/);
  });
});

describe('a header that we changed', () => {
  test('puts the database into the other journal mode', (t) => {
    const { path, bytes } = makeDatabase(t, 'CREATE TABLE t (a)');
    for (const [mode, expected] of [
      ['wal', 'wal'],
      ['rollback', 'delete'],
    ] as const) {
      setHeaderMode(bytes, mode);
      writeFileSync(path, bytes);
      const db = new DatabaseSync(path);
      db.exec('SELECT * FROM t');
      assert.equal(db.prepare('PRAGMA journal_mode').get()?.['journal_mode'], expected);
      db.close();
    }
  });

  test('makes open connections see new pages and a new schema', (t) => {
    const { path } = makeDatabase(t, 'CREATE TABLE t (a); INSERT INTO t VALUES (1)');
    const db = new DatabaseSync(path);
    assert.deepEqual(db.prepare('SELECT * FROM t').all().length, 1);

    // Another database takes the place of this one, in the same file, with counters that tell
    // nothing.
    const other = makeDatabase(t, 'CREATE TABLE t (b, c); INSERT INTO t VALUES (2, 3)').bytes;
    const current = decodeDatabaseHeader(new Uint8Array(readFileSync(path)));
    const view = new DataView(other.buffer);
    view.setUint32(24, current.changeCounter);
    view.setUint32(40, current.schemaCookie);
    bumpChangeCounter(other, other.length / 4096);
    bumpSchemaCookie(other);
    writeFileSync(path, other);
    assert.deepEqual({ ...db.prepare('SELECT * FROM t').get() }, { b: 2, c: 3 });
    assert.equal(db.prepare('PRAGMA schema_version').get()?.['schema_version'], 2);
    assert.deepEqual(db.prepare('PRAGMA integrity_check').all().length, 1);
    db.close();
  });
});
