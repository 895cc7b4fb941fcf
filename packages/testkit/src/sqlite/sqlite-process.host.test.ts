import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { tempDir } from '../temp-dir.ts';
import {
  requireDriver,
  SQLITE_DRIVERS,
  type SqliteDriver,
  type SqliteProcess,
  startSqlite,
} from './sqlite-process.ts';

type Case = (driver: SqliteDriver, start: () => SqliteProcess, path: string) => Promise<void>;

const CASES: Record<string, Case> = {
  'passes every kind of value both ways': async (driver, start, path) => {
    const client = start();
    await client.open(path);
    await client.exec('CREATE TABLE t (value)');
    const values = [
      null,
      1,
      -(2 ** 53) + 1,
      2n ** 63n - 1n,
      1.5,
      -1e300,
      Infinity,
      'it\'s\na "text" – ✓',
      '',
      Uint8Array.of(0, 39, 255),
      new Uint8Array(0),
    ];
    for (const value of values) await client.exec('INSERT INTO t VALUES (?)', [value]);
    const rows = await client.exec('SELECT value FROM t ORDER BY rowid');
    assert.deepEqual(rows.flat(), values, driver);
    const types = await client.exec('SELECT DISTINCT typeof(value) FROM t ORDER BY rowid');
    assert.deepEqual(types.flat(), ['null', 'integer', 'real', 'text', 'blob']);
  },

  'keeps transactions open between calls, and they end with the process': async (
    _driver,
    start,
    path,
  ) => {
    const [writer, reader] = [start(), start()];
    await writer.open(path);
    await reader.open(path);
    await writer.exec('CREATE TABLE t (a)');
    await writer.exec('BEGIN');
    await writer.exec('INSERT INTO t VALUES (1)');
    assert.equal(await writer.value('SELECT count(*) FROM t'), 1);
    assert.equal(await reader.value('SELECT count(*) FROM t'), 0);
    await assert.rejects(reader.exec('INSERT INTO t VALUES (2)'), { code: 'SQLITE_BUSY' });
    await writer.kill();
    await assert.rejects(writer.exec('COMMIT'), { code: 'CLIENT_EXITED' });
    await reader.exec('INSERT INTO t VALUES (2)');
    assert.deepEqual(await reader.exec('SELECT a FROM t'), [[2]]);
  },

  'waits for a lock when it is told to': async (_driver, start, path) => {
    const [holder, waiter] = [start(), start()];
    await holder.open(path);
    await waiter.open(path, { busyTimeoutMs: 90_000 });
    await holder.exec('CREATE TABLE t (a)');
    await holder.exec('BEGIN EXCLUSIVE');
    const inserted = waiter.exec('INSERT INTO t VALUES (1)');
    await holder.exec('INSERT INTO t VALUES (2)');
    await holder.exec('COMMIT');
    await inserted;
    assert.deepEqual(await holder.exec('SELECT a FROM t'), [[2], [1]]);
  },

  'tells errors by code and message, and goes on': async (_driver, start, path) => {
    const client = start();
    await client.open(path);
    await client.exec('CREATE TABLE t (a UNIQUE)');
    await client.exec('INSERT INTO t VALUES (1)');
    await assert.rejects(client.exec('INSERT INTO t VALUES (1)'), {
      name: 'SqliteError',
      code: 'SQLITE_CONSTRAINT',
      message: 'UNIQUE constraint failed: t.a',
    });
    await assert.rejects(client.exec('SELEC 1'), { code: 'SQLITE_ERROR', message: /syntax error/ });
    await assert.rejects(client.exec('SELECT a FROM nowhere'), { message: /no such table/ });
    assert.equal(await client.value('SELECT count(*) FROM t'), 1);
    assert.equal(await client.value('SELECT a FROM t WHERE 0'), undefined);
  },

  'opens for reading only, and another database after that': async (_driver, start, path) => {
    const client = start();
    await client.open(path);
    await client.exec('CREATE TABLE t (a)');
    await client.close();
    await client.open(path, { isReadOnly: true });
    await assert.rejects(client.exec('INSERT INTO t VALUES (1)'), { code: 'SQLITE_READONLY' });
    await client.close();
    await client.open(`${path} with "quotes"?#%41`);
    await client.exec('CREATE TABLE u (a)');
    assert.equal(await client.value('PRAGMA main.page_count'), 2);
  },

  'a database that cannot be opened says so, at once or when it is used': async (
    _driver,
    start,
    path,
  ) => {
    const client = start();
    const use = async (): Promise<void> => {
      await client.open(join(path, 'no', 'such', 'folder'));
      await client.exec('SELECT 1 FROM sqlite_schema');
    };
    await assert.rejects(use(), { code: /SQLITE_(CANTOPEN|MISUSE)/ });
  },
};

for (const driver of SQLITE_DRIVERS) {
  void describe(`SqliteProcess with ${driver}`, () => {
    for (const [title, run] of Object.entries(CASES)) {
      void test(title, async (t) => {
        if (!requireDriver(t, driver)) return;
        const path = join(tempDir(t), 'app.db');
        await run(driver, () => startSqlite(t, { driver }), path);
      });
    }
  });
}

describe('SqliteProcess', () => {
  test('kills a client that does not answer in time', async (t) => {
    if (!requireDriver(t, 'python')) return;
    const client = startSqlite(t, { timeoutMs: 5000 });
    await client.open(':memory:');
    const endless =
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) FROM n';
    await assert.rejects(client.exec(endless), { code: 'CLIENT_TIMEOUT', message: /RECURSIVE/ });
    await assert.rejects(client.exec('SELECT 1'), { code: 'CLIENT_EXITED' });
    assert.throws(() => process.kill(client.pid, 0), { code: 'ESRCH' });
  });

  test('refuses a second statement in one call where the driver can tell', async (t) => {
    for (const driver of ['python', 'better-sqlite3', 'node-sqlite'] as const) {
      if (!requireDriver(t, driver)) return;
      const client = startSqlite(t, { driver });
      await client.open(':memory:');
      await assert.rejects(client.exec('SELECT 1; SELECT 2'), { code: 'SQLITE_MISUSE' });
    }
  });

  test('one statement at a time', async (t) => {
    if (!requireDriver(t, 'python')) return;
    const client = startSqlite(t);
    const opened = client.open(':memory:');
    await assert.rejects(client.exec('SELECT 1'), /busy/);
    await opened;
  });

  test('runs under another command', async (t) => {
    if (!requireDriver(t, 'python')) return;
    const client = startSqlite(t, { prefix: ['env', 'SQLITE_TMPDIR=/nonexistent'] });
    await client.open(':memory:');
    assert.equal(await client.value('SELECT 1'), 1);
  });

  test('a client that cannot start says why', async (t) => {
    const client = startSqlite(t, { prefix: ['/nonexistent/command'] });
    await assert.rejects(client.open(':memory:'), { code: 'CLIENT_EXITED', message: /ENOENT/ });
  });
});
