// Our reading of WALs against SQLite's recovery: the database after a checkpoint must be the one
// that our frames give, for all page sizes, both byte orders of checksums, and damaged files.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import { SeededRandom, tempDir } from '@skein/testkit';

import { bytesSource } from '@skein/bytes';

import { WalChain, walFrameCommit, walFrameOffset, walFramePgno } from './wal-frame.ts';
import { encodeWalHeader, readWalHeader, type WalHeader } from './wal-header.ts';
import { readWalFrames, type WalFrame } from './wal-reader.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

const DAMAGES = 60;

/** A database in WAL mode after a crash: its file and its WAL. */
interface LoggedDatabase {
  readonly database: Uint8Array;
  readonly wal: Uint8Array;
}

/** A copy of its own, unlike a Buffer, whose slice() shares memory. */
function readBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

function snapshot(path: string): LoggedDatabase {
  return { database: readBytes(path), wal: readBytes(`${path}-wal`) };
}

/**
 * Several transactions, on a WAL that was begun anew (so that remnants lie behind its end), one of
 * them with frames written twice, and one not committed.
 */
function makeLoggedDatabase(path: string, pageSize: number): LoggedDatabase {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL;
    PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 4; PRAGMA cache_spill = 2;
    CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${pageSize / 4})
    INSERT INTO t SELECT i, printf('row %d %.*c', i, 150, 'x') FROM n;
    DELETE FROM t WHERE id % 3 = 0; PRAGMA wal_checkpoint(RESTART);
    UPDATE t SET body = 'first of the new log' WHERE id < 5;
    BEGIN; UPDATE t SET body = 'once ' || body; UPDATE t SET body = 'twice ' || body; COMMIT;
    DELETE FROM t WHERE id > 40; VACUUM; INSERT INTO t (body) VALUES ('last');
    BEGIN; UPDATE t SET body = printf('%d %.*c', id, 1000, 'lost')`);
  const logged = snapshot(path);
  db.close();
  return logged;
}

/** The database file after SQLite found it with this WAL, and checkpointed. */
function recoveredBySqlite(path: string, { database, wal }: LoggedDatabase): Uint8Array {
  writeFileSync(path, database);
  writeFileSync(`${path}-wal`, wal);
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // A damaged WAL may end between two pages that belong together: what counts are the bytes.
  }
  db.close();
  for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true });
  return readBytes(path);
}

function recoveredByUs({ database, wal }: LoggedDatabase): Uint8Array {
  const source = bytesSource(wal);
  const header = readWalHeader(source);
  if (header === undefined) return database;
  let result = database;
  let pending: WalFrame[] = [];
  for (const frame of readWalFrames(source, new WalChain(header))) {
    pending.push({ ...frame, page: frame.page.slice() });
    if (frame.commit === 0) continue;
    const resized = new Uint8Array(frame.commit * header.pageSize);
    resized.set(result.subarray(0, resized.length));
    for (const { pgno, page } of pending) {
      if (pgno <= frame.commit) resized.set(page, (pgno - 1) * header.pageSize);
    }
    pending = [];
    result = resized;
  }
  return result;
}

/** The same WAL as a machine of the other byte order would have begun it. */
function withBigEndianChecksums(wal: Uint8Array): Uint8Array {
  const before = readWalHeader(bytesSource(wal))!;
  const header: WalHeader = { ...before, bigEndianChecksums: true };
  const result = wal.slice();
  result.set(encodeWalHeader(header));
  const view = new DataView(result.buffer);
  const chain = new WalChain(header);
  for (const { frame } of readWalFrames(bytesSource(wal), new WalChain(before))) {
    const at = walFrameOffset(frame, header.pageSize);
    chain.seal(view, at, walFramePgno(view, at), walFrameCommit(view, at));
  }
  return result;
}

function damage(wal: Uint8Array, random: SeededRandom): Uint8Array {
  const damaged = wal.slice(0, random.bool() ? wal.length : random.int(0, wal.length));
  if (damaged.length === 0) return damaged;
  const last = Math.min(damaged.length, random.bool(0.2) ? 100 : damaged.length) - 1;
  for (let i = random.int(0, 2); i > 0; i--) damaged[random.int(0, last)] = random.int(0, 255);
  return damaged;
}

describe('a WAL is read as SQLite reads it', () => {
  for (const pageSize of PAGE_SIZES) {
    test(`with pages of ${pageSize} bytes, in either byte order`, (t) => {
      const folder = tempDir(t);
      const logged = makeLoggedDatabase(join(folder, 'made.db'), pageSize);
      const swapped = { ...logged, wal: withBigEndianChecksums(logged.wal) };
      const ours = recoveredByUs(logged);
      assert.ok(!Buffer.from(logged.database).equals(ours));
      assert.ok(Buffer.from(ours).equals(recoveredByUs(swapped)));
      for (const each of [logged, swapped]) {
        const sqlites = recoveredBySqlite(join(folder, 'found.db'), each);
        assert.ok(Buffer.from(sqlites).equals(ours));
      }
    });
  }

  test('when it is damaged (seed 0)', (t) => {
    const folder = tempDir(t);
    const logged = makeLoggedDatabase(join(folder, 'made.db'), 512);
    const random = new SeededRandom(0);
    for (let i = 0; i < DAMAGES; i++) {
      const damaged = { ...logged, wal: damage(logged.wal, random) };
      const sqlites = recoveredBySqlite(join(folder, 'found.db'), damaged);
      assert.ok(Buffer.from(sqlites).equals(recoveredByUs(damaged)), `damage ${i}`);
    }
  });

  test('when SQLite goes on with big-endian checksums after a recovery', (t) => {
    const path = join(tempDir(t), 'found.db');
    const logged = makeLoggedDatabase(path, 1024);
    writeFileSync(path, logged.database);
    writeFileSync(`${path}-wal`, withBigEndianChecksums(logged.wal));
    const db = new DatabaseSync(path);
    db.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO t (body) VALUES ('appended')");
    const after = snapshot(path);
    db.close();
    assert.equal(readWalHeader(bytesSource(after.wal))?.bigEndianChecksums, true);
    assert.ok(!existsSync(`${path}-wal`));
    assert.ok(Buffer.from(readBytes(path)).equals(recoveredByUs(after)));
    assert.ok(Buffer.from(recoveredByUs(after)).includes('appended'));
  });
});
