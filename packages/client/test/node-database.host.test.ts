// A database that follows the role of its node, over both drivers, on a plain file.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { onTestEnd, tempDir } from '@skein/testkit';

import type { SkeinDatabase } from '../src/database/shape.ts';
import { loadDriver } from '../src/drivers/load-driver.ts';
import { type OpenOptions, openDatabase } from '../src/open-database.ts';
import { DRIVERS } from './adapters/suite.ts';
import { FakeNode } from './fake-node.ts';

for (const driver of DRIVERS) {
  /** A database with a table `t` of one row. */
  const start = (t: TestContext, options: OpenOptions = {}) => {
    const node = new FakeNode(tempDir(t));
    const database = openDatabase(node, { driver, database: 'app.db', ...options });
    onTestEnd(t, () => void database.close());
    database.exec('CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1)');
    return { node, database };
  };
  const values = (database: SkeinDatabase): unknown[] =>
    database.prepare('SELECT v FROM t ORDER BY v').pluck().all();

  describe(`A database over ${driver}`, () => {
    test('keeps its statements, with their modes, through changes of the role', (t) => {
      const { node, database } = start(t);
      const insert = database.prepare('INSERT INTO t VALUES (?)');
      const select = database.prepare('SELECT v, v + 1 AS next FROM t ORDER BY v').raw();
      const bigints = database.prepare('SELECT max(v) FROM t').pluck().safeIntegers();
      insert.run(2);
      node.become('replica');
      assert.throws(() => insert.run(3), { name: 'NotPrimaryError', code: 'NOT_PRIMARY' });
      assert.equal(database.readonly, true);
      assert.deepEqual(select.all(), [
        [1, 2],
        [2, 3],
      ]);
      assert.equal(bigints.get(), 2n);
      node.become('no-primary');
      assert.throws(() => insert.run(3), { name: 'NoPrimaryError', code: 'NO_PRIMARY' });
      node.become('fenced');
      assert.throws(() => insert.run(3), { name: 'FencedError', code: 'FENCED' });
      node.become('primary');
      assert.deepEqual(insert.run(3).changes, 1);
      assert.deepEqual(select.get(), [1, 2]);
      assert.equal(bigints.get(), 3n);
    });

    test('ends its transaction on the handle on which it began', (t) => {
      const { node, database } = start(t);
      database.transaction(() => {
        database.exec('INSERT INTO t VALUES (2)');
        node.become('replica');
        database.exec('INSERT INTO t VALUES (3)');
        assert.equal(database.inTransaction, true);
      })();
      assert.deepEqual(values(database), [1, 2, 3]);
      assert.throws(() => database.exec('DELETE FROM t'), { code: 'NOT_PRIMARY' });
    });

    test('lets rows be read to their end while its role changes', (t) => {
      const { node, database } = start(t);
      database.exec('INSERT INTO t VALUES (2), (3)');
      const rows = database.prepare('SELECT v FROM t ORDER BY v').pluck().iterate();
      assert.equal(rows.next().value, 1);
      node.become('replica');
      assert.deepEqual(values(database), [1, 2, 3]);
      assert.deepEqual([...rows], [2, 3]);
      const left = database.prepare('SELECT v FROM t').iterate();
      left.next();
      node.become('primary');
      left.return?.();
      // No handle is left that would hold a lock.
      database.exec('DELETE FROM t WHERE v = 1');
    });

    test('is opened again when the node was met anew, and configured each time', (t) => {
      const opened: boolean[] = [];
      const { node, database } = start(t, {
        configure: (native, isReadonly) => {
          opened.push(isReadonly);
          native.exec('PRAGMA cache_size = -4000');
        },
      });
      const cacheSize = database.prepare('PRAGMA cache_size').pluck();
      node.generation += 1;
      assert.equal(cacheSize.get(), -4000);
      node.become('replica');
      assert.equal(cacheSize.get(), -4000);
      assert.deepEqual(opened, [false, false, true]);
    });

    test('begins transactions IMMEDIATE, unless it is told otherwise', (t) => {
      const { database, node } = start(t);
      const other = openDatabase(node, { driver, database: 'app.db', busyTimeoutMs: 0 });
      onTestEnd(t, () => void other.close());
      const isLocked = (): boolean => {
        try {
          other.transaction(() => {})();
          return false;
        } catch (error) {
          assert.match((error as { code: string }).code, /^SQLITE_BUSY/);
          return true;
        }
      };
      assert.equal(database.transaction(isLocked)(), true);
      assert.equal(database.transaction(isLocked).immediate(), true);
      assert.equal(database.transaction(isLocked).exclusive(), true);
      assert.equal(database.transaction(isLocked).deferred(), false);
      const deferred = openDatabase(node, {
        driver,
        database: 'app.db',
        transactionMode: 'DEFERRED',
      });
      onTestEnd(t, () => void deferred.close());
      assert.equal(deferred.transaction(isLocked)(), false);
    });

    test('nests transactions, and takes none that only promises to end', (t) => {
      const { database } = start(t);
      const insert = (v: number): void => void database.prepare('INSERT INTO t VALUES (?)').run(v);
      const fails = (): never => {
        insert(3);
        throw new RangeError('given up');
      };
      const sum = database.transaction((a: number, b: number) => {
        insert(a);
        assert.throws(() => database.transaction(fails)(), RangeError);
        database.transaction(() => insert(b))();
        return a + b;
      });
      assert.equal(sum(10, 20), 30);
      assert.throws(() => database.transaction(fails)(), RangeError);
      const late = database.transaction(async () => insert(40));
      assert.throws(() => void late(), { code: 'DATABASE_MISUSE' });
      assert.deepEqual(values(database), [1, 10, 20]);
      assert.equal(database.inTransaction, false);
    });

    test('on a replica names a database that has not arrived, and who could make it', (t) => {
      const node = new FakeNode(tempDir(t), 'replica');
      const database = openDatabase(node, { driver, database: 'app.db' });
      assert.throws(() => database.prepare('SELECT 1'), { code: 'DATABASE_MISSING' });
      assert.throws(() => database.prepare('SELECT * FROM t'), { code: 'DATABASE_MISSING' });
      assert.throws(() => database.exec('CREATE TABLE t (v)'), { code: 'NOT_PRIMARY' });
      assert.throws(() => database.prepare('CREATE TABLE t (v)'), { code: 'NOT_PRIMARY' });
      const primary = new FakeNode(node.mountPath);
      openDatabase(primary, { driver, database: 'app.db' }).exec('CREATE TABLE t (v)').close();
      assert.deepEqual(values(database), []);
      database.close();
    });

    test('has the shape of better-sqlite3', (t) => {
      const { database } = start(t);
      const insert = database.prepare('INSERT INTO t VALUES (@v)');
      assert.deepEqual([insert.reader, insert.readonly], [false, false]);
      assert.deepEqual(insert.run({ v: 'named' }), { changes: 1, lastInsertRowid: 2 });
      const returning = database.prepare('INSERT INTO t VALUES (?) RETURNING v');
      assert.deepEqual([returning.reader, returning.readonly], [true, false]);
      assert.deepEqual(plain(returning.get([Uint8Array.of(7)])), { v: bytes(driver, 7) });
      const select = database.prepare('SELECT v AS value, 1 + ? FROM t WHERE v = 1');
      assert.deepEqual([select.reader, select.readonly], [true, true]);
      assert.deepEqual(plain(select.get(1)), { value: 1, '1 + ?': 2 });
      assert.deepEqual(select.raw().all(2), [[1, 3]]);
      assert.deepEqual(plain(select.raw(false).get(2)), { value: 1, '1 + ?': 3 });
      const [value, sum] = select.columns();
      assert.deepEqual([value?.name, value?.table, sum?.column], ['value', 't', null]);
      assert.equal(database.prepare('SELECT v FROM t WHERE v = 99').get(), undefined);
      assert.deepEqual(database.pragma('user_version = 3'), []);
      assert.equal(database.pragma('user_version', { simple: true }), 3);
      assert.deepEqual((database.pragma('user_version') as object[]).map(plain), [
        { user_version: 3 },
      ]);
      assert.throws(() => database.prepare('SELEC 1'), { code: 'SQLITE_ERROR' });
      assert.throws(() => database.prepare('INSERT INTO t VALUES (1').run());
      assert.deepEqual([database.open, database.name], [true, join(tempOf(database), 'app.db')]);
      const another = database.another();
      assert.deepEqual(values(another).length, 3);
      another.close();
      database.close();
      assert.equal(database.open, false);
      assert.throws(() => insert.run({ v: 1 }), { code: 'DATABASE_MISUSE' });
    });

    test('gives errors of SQLite the names that better-sqlite3 gives them', (t) => {
      const { database } = start(t);
      database.exec('CREATE TABLE p (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, CHECK (u > 0))');
      database.exec('CREATE TABLE c (p REFERENCES p)');
      database.exec('INSERT INTO p VALUES (1, 1, 1)');
      const codes = [
        ['INSERT INTO p VALUES (1, 2, 2)', 'SQLITE_CONSTRAINT_PRIMARYKEY'],
        ['INSERT INTO p VALUES (2, 1, 2)', 'SQLITE_CONSTRAINT_UNIQUE'],
        ['INSERT INTO p VALUES (2, 2, NULL)', 'SQLITE_CONSTRAINT_NOTNULL'],
        ['INSERT INTO p VALUES (2, 0, 2)', 'SQLITE_CONSTRAINT_CHECK'],
        ['INSERT INTO c VALUES (7)', 'SQLITE_CONSTRAINT_FOREIGNKEY'],
      ] as const;
      for (const [sql, code] of codes) {
        assert.throws(() => database.exec(sql), { name: 'SqliteError', code }, sql);
      }
    });
  });

  function tempOf(database: SkeinDatabase): string {
    return join(database.name, '..');
  }
}

/** Rows of node:sqlite have no prototype. */
function plain(row: unknown): unknown {
  return { ...(row as object) };
}

/** Bytes as the driver gives them. */
function bytes(driver: string, ...values: number[]): Uint8Array {
  return driver === 'better-sqlite3' ? Buffer.from(values) : Uint8Array.from(values);
}

test('A driver that is not there is named', () => {
  assert.equal(loadDriver(undefined).name, 'better-sqlite3');
  assert.equal(loadDriver('node:sqlite').name, 'node:sqlite');
  const node = new FakeNode('/litefs');
  const forward = { database: 'app.db', onReplica: 'forward' } as const;
  assert.throws(() => openDatabase(node, forward), { code: 'DATABASE_MISUSE' });
  for (const name of ['../app.db', undefined]) {
    const options = name === undefined ? {} : { database: name };
    assert.throws(() => openDatabase(node, options), { code: 'SETTINGS_INVALID' });
  }
});
