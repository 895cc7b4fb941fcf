// What Prisma's adapter has to keep apart: transactions, and the queries beside them.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import type { SqlDriverAdapter, SqlQuery } from '@prisma/driver-adapter-utils';
import { onTestEnd, tempDir } from '@skein/testkit';

import { PrismaSkein } from '../src/adapters/prisma/adapter.ts';
import { openDatabase } from '../src/open-database.ts';
import { FakeNode } from './fake-node.ts';

async function start(t: TestContext): Promise<SqlDriverAdapter> {
  const node = new FakeNode(tempDir(t));
  const database = openDatabase(node, { database: 'app.db' });
  const adapter = await new PrismaSkein(database).connect();
  onTestEnd(t, () => adapter.dispose());
  await adapter.executeScript('PRAGMA journal_mode = WAL; CREATE TABLE t (v INTEGER)');
  return adapter;
}

const query = (sql: string): SqlQuery => ({ sql, args: [], argTypes: [] });
const INSERT = query('INSERT INTO t VALUES (1)');
const COUNT = query('SELECT count(*) FROM t');

describe('A transaction of Prisma', () => {
  test('is not seen by queries beside it, and writes beside it wait for its end', async (t) => {
    const adapter = await start(t);
    const count = async (): Promise<unknown> => (await adapter.queryRaw(COUNT)).rows[0]?.[0];
    const transaction = await adapter.startTransaction('SERIALIZABLE');
    await transaction.executeRaw(INSERT);
    assert.equal(await count(), 0);

    const order: string[] = [];
    const beside = adapter.executeRaw(INSERT).then(() => order.push('the write beside it'));
    const returning = query('INSERT INTO t VALUES (2) RETURNING v');
    const after = adapter.queryRaw(returning).then(() => order.push('the next one'));
    const again = async (): Promise<void> => {
      const next = await adapter.startTransaction();
      order.push('the next transaction');
      await next.rollback();
    };
    const second = again();
    assert.deepEqual((await transaction.queryRaw(COUNT)).rows, [[1]]);
    order.push('the transaction');
    await transaction.commit();
    await Promise.all([beside, after, second]);
    const expected = ['the transaction', 'the write beside it', 'the next one'];
    assert.deepEqual(order, [...expected, 'the next transaction']);
    assert.equal(await count(), 3);
  });

  test('that cannot be committed is rolled back, and lets others go on', async (t) => {
    const adapter = await start(t);
    await adapter.executeScript(
      'CREATE TABLE p (id INTEGER PRIMARY KEY);' +
        'CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)',
    );
    const transaction = await adapter.startTransaction();
    await transaction.executeRaw(query('INSERT INTO c VALUES (7)'));
    await assert.rejects(transaction.commit(), { name: 'DriverAdapterError' });
    await adapter.executeRaw(INSERT);
    assert.deepEqual((await adapter.queryRaw(query('SELECT * FROM c'))).rows, []);
    const isolation = adapter.startTransaction('READ COMMITTED');
    await assert.rejects(isolation, { name: 'DriverAdapterError' });
  });
});
