// Clients of libSQL as npm has them, unmodified: what they do against Turso's server they do here.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { type Client, createClient, type LibsqlError } from '@libsql/client';
import { onTestEnd } from '@skein/testkit';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { Kysely } from 'kysely';

import { LibsqlDialect } from './libsql-dialect.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';

const SCHEMA =
  'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE, size REAL, data BLOB)';

interface Stock {
  readonly client: Client;
  readonly server: TestServer;
}

async function connect(t: TestContext, options: TestServerOptions = {}): Promise<Stock> {
  const server = await startTestServer(t, options);
  const authToken = options.token;
  const client = createClient({ url: server.url, ...(authToken && { authToken }) });
  onTestEnd(t, () => client.close());
  await client.execute(SCHEMA);
  return { client, server };
}

const isCode = (code: string) => (error: unknown) => (error as LibsqlError).code === code;

describe('@libsql/client', () => {
  test('execute() takes and returns values of every type', async (t) => {
    const { client } = await connect(t);
    const inserted = await client.execute({
      sql: 'INSERT INTO notes VALUES (?, ?, ?, ?)',
      args: [9_007_199_254_740_991n, 'ä"\\ \u0000 text', 1.5, new Uint8Array([0, 255])],
    });
    assert.equal(inserted.rowsAffected, 1);
    assert.equal(inserted.lastInsertRowid, 9_007_199_254_740_991n);
    const { rows, columns, columnTypes } = await client.execute(
      'SELECT *, NULL AS none FROM notes',
    );
    assert.deepEqual(columns, ['id', 'text', 'size', 'data', 'none']);
    assert.deepEqual(columnTypes, ['INTEGER', 'TEXT', 'REAL', 'BLOB', '']);
    assert.equal(rows[0]!['id'], 9_007_199_254_740_991);
    assert.equal(rows[0]!['text'], 'ä"\\ \u0000 text');
    assert.equal(rows[0]!['size'], 1.5);
    assert.deepEqual(new Uint8Array(rows[0]!['data'] as ArrayBuffer), new Uint8Array([0, 255]));
    assert.equal(rows[0]!['none'], null);
  });

  test('execute() binds by name and by position, whatever the sign', async (t) => {
    const { client } = await connect(t);
    const byName = await client.execute({
      sql: 'SELECT :a, @b, $c, :a',
      args: { a: 1, '@b': 'two', $c: 3.5 },
    });
    assert.deepEqual(Object.values(byName.rows[0]!).slice(0, 3), [1, 'two', 3.5]);
    const byPosition = await client.execute({ sql: 'SELECT ?2, ?, :c', args: [1, 2, 3, 4] });
    assert.deepEqual(Array.from(byPosition.rows[0]! as unknown as ArrayLike<unknown>), [2, 3, 4]);
    await assert.rejects(client.execute({ sql: 'SELECT ?, ?', args: [1] }), isCode('ARGS_INVALID'));
  });

  test('RETURNING gives rows, and says how many were written', async (t) => {
    const { client } = await connect(t);
    const { rows, rowsAffected, lastInsertRowid } = await client.execute(
      "INSERT INTO notes (text) VALUES ('a'), ('b') RETURNING id, text",
    );
    assert.deepEqual(
      rows.map(({ text }) => text),
      ['a', 'b'],
    );
    assert.equal(rowsAffected, 2);
    assert.equal(lastInsertRowid, 2n);
  });

  test('errors have the code and the words of SQLite', async (t) => {
    const { client } = await connect(t);
    const insert = "INSERT INTO notes (text) VALUES ('once')";
    await client.execute(insert);
    await assert.rejects(client.execute(insert), (error: LibsqlError) => {
      assert.equal(error.code, 'SQLITE_CONSTRAINT');
      assert.match(error.message, /UNIQUE constraint failed: notes\.text/);
      return true;
    });
    await assert.rejects(client.execute('SELECT * FROM nowhere'), /no such table: nowhere/);
    await assert.rejects(client.execute('SELECT 1; SELECT 2'), isCode('SQL_MANY_STATEMENTS'));
    await assert.rejects(client.execute('-- nothing'), isCode('SQL_NO_STATEMENT'));
  });

  test('batch() is one transaction: all of it or nothing', async (t) => {
    const { client } = await connect(t);
    const results = await client.batch(
      [
        { sql: 'INSERT INTO notes (text) VALUES (?)', args: ['a'] },
        'SELECT count(*) AS n FROM notes',
      ],
      'write',
    );
    assert.equal(results[1]!.rows[0]!['n'], 1);
    const failing = client.batch([
      "INSERT INTO notes (text) VALUES ('b')",
      "INSERT INTO notes (text) VALUES ('a')",
    ]);
    await assert.rejects(failing, isCode('SQLITE_CONSTRAINT'));
    const { rows } = await client.execute('SELECT text FROM notes');
    assert.deepEqual(
      rows.map(({ text }) => text),
      ['a'],
    );
  });

  test('executeMultiple() and migrate() run scripts, triggers among them', async (t) => {
    const { client } = await connect(t);
    await client.executeMultiple(`
      CREATE TABLE seen (text); -- a comment; with a semicolon
      CREATE TRIGGER note AFTER INSERT ON notes BEGIN
        INSERT INTO seen VALUES (CASE WHEN new.text = ';' THEN 'semicolon' ELSE new.text END);
      END;
      INSERT INTO notes (text) VALUES (';');
    `);
    const { rows } = await client.execute('SELECT text FROM seen');
    assert.deepEqual(
      rows.map(({ text }) => text),
      ['semicolon'],
    );
    await client.migrate([
      'ALTER TABLE seen ADD COLUMN more',
      'CREATE INDEX seen_more ON seen (more)',
    ]);
    const { columns } = await client.execute('SELECT * FROM seen');
    assert.deepEqual(columns, ['text', 'more']);
  });

  test('an interactive transaction is seen by others when it is committed', async (t) => {
    const { client } = await connect(t);
    const transaction = await client.transaction('write');
    await transaction.execute("INSERT INTO notes (text) VALUES ('inside')");
    const count = async (): Promise<unknown> =>
      (await client.execute('SELECT count(*) AS n FROM notes')).rows[0]!['n'];
    assert.equal(await count(), 0);
    const inside = await transaction.execute('SELECT count(*) AS n FROM notes');
    assert.equal(inside.rows[0]!['n'], 1);
    await transaction.commit();
    assert.equal(await count(), 1);

    const undone = await client.transaction('write');
    await undone.execute('DELETE FROM notes');
    await undone.rollback();
    const closed = await client.transaction('deferred');
    await closed.execute('DELETE FROM notes');
    closed.close();
    assert.equal(await count(), 1);
  });

  test("a transaction 'read' keeps its snapshot and refuses writes", async (t) => {
    const { client, server } = await connect(t);
    server.connect().pragma('journal_mode = WAL');
    const transaction = await client.transaction('read');
    const count = async (): Promise<unknown> =>
      (await transaction.execute('SELECT count(*) AS n FROM notes')).rows[0]!['n'];
    assert.equal(await count(), 0);
    await client.execute("INSERT INTO notes (text) VALUES ('later')");
    assert.equal(await count(), 0);
    await assert.rejects(transaction.execute('DELETE FROM notes'), isCode('SQL_NOT_ALLOWED'));
    transaction.close();
  });

  test('transactions that write at once wait for each other', async (t) => {
    const { client } = await connect(t, { limits: { busyMs: 60_000 } });
    await client.execute("INSERT INTO notes VALUES (1, 'counter', 0, NULL)");
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const transaction = await client.transaction('write');
        const { rows } = await transaction.execute('SELECT size FROM notes WHERE id = 1');
        const size = Number(rows[0]!['size']) + 1;
        await transaction.execute({ sql: 'UPDATE notes SET size = ? WHERE id = 1', args: [size] });
        await transaction.commit();
      }),
    );
    const { rows } = await client.execute('SELECT size FROM notes WHERE id = 1');
    assert.equal(rows[0]!['size'], 12);
  });

  test('who waits for a lock in vain gets SQLITE_BUSY', async (t) => {
    const { client } = await connect(t, { limits: { busyMs: 50 } });
    const holder = await client.transaction('write');
    await holder.execute("INSERT INTO notes (text) VALUES ('held')");
    await assert.rejects(
      client.execute("INSERT INTO notes (text) VALUES ('other')"),
      isCode('SQLITE_BUSY'),
    );
    await holder.commit();
    await client.execute("INSERT INTO notes (text) VALUES ('other')");
  });

  test('a client that goes away in a transaction leaves nothing of it', async (t) => {
    const limits = { streamIdleMs: 3000, busyMs: 60_000 };
    const { client, server } = await connect(t, { limits });
    const lost = createClient({ url: server.url });
    const transaction = await lost.transaction('write');
    await transaction.execute("INSERT INTO notes (text) VALUES ('lost')");
    assert.equal(server.server.streamCount, 1);
    // It waits for the lock, which is given back when the stream has been idle for its time.
    await client.execute("INSERT INTO notes (text) VALUES ('kept')");
    const { rows } = await client.execute('SELECT text FROM notes');
    assert.deepEqual(
      rows.map(({ text }) => text),
      ['kept'],
    );
    await assert.rejects(transaction.commit(), isCode('STREAM_EXPIRED'));
    assert.equal(server.server.streamCount, 0);
  });

  test('a token is asked for where there is one', async (t) => {
    const token = 'a-token-of-the-test';
    const { client, server } = await connect(t, { token });
    await client.execute('SELECT 1');
    for (const authToken of ['another-token-test', '']) {
      const other = createClient({ url: server.url, authToken });
      await assert.rejects(other.execute('SELECT 1'), isCode('SQL_UNAUTHORIZED'));
    }
  });

  test('a URL with a path names the database', async (t) => {
    const server = await startTestServer(t, { databases: ['other.db'] });
    const other = createClient({ url: `${server.url}/db/other.db/` });
    await other.execute('CREATE TABLE only_there (x)');
    const tables = server.connect('other.db').prepare('SELECT name FROM sqlite_schema').all();
    assert.deepEqual(tables, [{ name: 'only_there' }]);
    const missing = createClient({ url: `${server.url}/db/missing.db/` });
    await assert.rejects(missing.execute('SELECT 1'), isCode('SQL_DATABASE_NOT_FOUND'));
  });
});

describe('Drizzle', () => {
  const notes = sqliteTable('notes', {
    id: integer().primaryKey(),
    text: text().notNull(),
  });

  test('queries, writes and nests transactions', async (t) => {
    const { client } = await connect(t);
    const db = drizzle(client);
    const [first] = await db.insert(notes).values({ text: 'a' }).returning();
    assert.deepEqual(first, { id: 1, text: 'a' });
    await db.transaction(async (tx) => {
      await tx.update(notes).set({ text: 'b' }).where(eq(notes.id, 1));
      await tx
        .transaction(async (inner) => {
          await inner.insert(notes).values({ text: 'undone' });
          inner.rollback();
        })
        .catch(() => {});
    });
    assert.deepEqual(await db.select().from(notes), [{ id: 1, text: 'b' }]);
    const [, counted] = await db.batch([
      db.insert(notes).values({ text: 'c' }),
      db.select({ n: sql<number>`count(*)` }).from(notes),
    ]);
    assert.deepEqual(counted, [{ n: 2 }]);
    const failing = db.transaction(async (tx) => {
      await tx.delete(notes);
      throw new Error('undo');
    });
    await assert.rejects(failing, /undo/);
    assert.equal((await db.select().from(notes)).length, 2);
  });
});

describe('Kysely', () => {
  interface Schema {
    readonly notes: { readonly id?: number; readonly text: string };
  }

  test('queries, writes and has transactions', async (t) => {
    const { client } = await connect(t);
    const db = new Kysely<Schema>({ dialect: new LibsqlDialect(client) });
    await db.insertInto('notes').values({ text: 'a' }).execute();
    await db.transaction().execute(async (tx) => {
      await tx.insertInto('notes').values({ text: 'b' }).execute();
      const { numUpdatedRows } = await tx
        .updateTable('notes')
        .set({ text: 'c' })
        .where('text', '=', 'a')
        .executeTakeFirst();
      assert.equal(numUpdatedRows, 1n);
    });
    const failing = db.transaction().execute(async (tx) => {
      await tx.deleteFrom('notes').execute();
      throw new Error('undo');
    });
    await assert.rejects(failing, /undo/);
    const rows = await db.selectFrom('notes').select('text').orderBy('id').execute();
    assert.deepEqual(rows, [{ text: 'c' }, { text: 'b' }]);
  });
});
