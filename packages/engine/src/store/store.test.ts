import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import { readState } from '../../test/inspect.ts';
import { commitRollback, rollBackHotJournal, RollbackWriter } from '../../test/rollback-client.ts';
import {
  bytesOf,
  changedPages,
  equalPages,
  inMode,
  type Pages,
  samplePages,
} from '../../test/sample-database.ts';
import { SimNode } from '../../test/sim-node.ts';
import { OWNER, SqliteClient } from '../../test/sqlite-client.ts';
import { WalClient } from '../../test/wal-client.ts';
import type { MountFile } from '../files/mount-file.ts';

const NAME = 'app.db';
const random = new SeededRandom(21);
const FIRST = samplePages(random, 512, 6);
const SECOND = samplePages(random, 512, 11);

function withDatabase(pages: Pages = FIRST): { node: SimNode; client: SqliteClient } {
  const node = new SimNode();
  const client = new SqliteClient(node, NAME);
  commitRollback(client, pages, { end: 'delete' });
  return { node, client };
}

/** What a program has open that copies a file. */
function startCopy(node: SimNode, bytes: Uint8Array, name: string = NAME): MountFile {
  const { store } = node.engine;
  const exists = store.find(name) !== undefined;
  const file = exists ? store.open(name, 'write') : store.create(name, 'write', OWNER);
  file.opened();
  node.answer(() => file.write(bytes, 0, bytes.length, 0));
  return file;
}

/** All of it but the fields that tell connections that the content is another. */
function contentOf(pages: Pages | undefined): Uint8Array {
  const bytes = bytesOf(pages ?? []);
  for (const at of [24, 40, 92]) bytes.fill(0, at, at + 4);
  return bytes;
}

describe('a file that is copied to the mount', () => {
  test('comes to nothing when the database is removed while its clients are kept out', () => {
    const { node } = withDatabase();
    const copy = startCopy(node, bytesOf(SECOND));
    const replaced = node.request(() => copy.flush(0))!;
    node.answer(() => node.engine.store.remove(NAME));
    assert.throws(() => node.settle(replaced), { code: 'DATABASE_NOT_FOUND' });
    copy.release();
    assert.equal(node.engine.store.find(NAME), undefined);
  });

  test('is rolled back by the journal that was copied with it, in either order', () => {
    const source = withDatabase().client;
    const writer = new RollbackWriter(source, changedPages(random, FIRST), { end: 'delete' });
    writer.writeJournal();
    writer.writePages(0.5);
    const journal = source.openOrCreate(writer.journalName);
    const [hot, torn] = [journal, source.main].map((file) => source.read(file, 0, file.sizeBytes));
    for (const isJournalFirst of [true, false]) {
      const node = new SimNode();
      const copyDatabase = (): void => {
        const copy = startCopy(node, torn!);
        node.answer(() => copy.flush(0));
        copy.release();
      };
      if (!isJournalFirst) copyDatabase();
      const copied = node.engine.store.create(`${NAME}-journal`, 'write', OWNER);
      copied.opened();
      node.answer(() => copied.write(hot!, 0, hot!.length, 0));
      copied.release();
      if (isJournalFirst) copyDatabase();
      const client = new SqliteClient(node, NAME);
      rollBackHotJournal(client);
      assert(equalPages(client.pages(), FIRST), `journal first: ${isJournalFirst}`);
      assert(equalPages(readState(node).get(NAME), FIRST));
    }
  });

  test('replaces the database in one transaction when it is closed', () => {
    const { node, client } = withDatabase();
    const { txid } = node.engine.store.findDatabase(NAME)!.database.state;
    const copy = startCopy(node, bytesOf(SECOND));
    assert(equalPages(client.pages(), FIRST), 'Others see the old one until then');
    node.answer(() => copy.flush(0));
    copy.release();
    assert.deepEqual(contentOf(client.pages()), contentOf(SECOND));
    assert.equal(node.engine.store.findDatabase(NAME)!.database.state.txid, txid + 1n);
    assert(node.forgotten.includes(NAME));
  });

  test('changes nothing when it is not whole', () => {
    const { node, client } = withDatabase();
    const copy = startCopy(node, bytesOf(SECOND).subarray(0, 1700));
    assert.throws(() => node.answer(() => copy.flush(0)), { code: 'IMAGE_FORMAT' });
    copy.release();
    assert(equalPages(client.pages(), FIRST));
    node.log.expectOne('warn', /copy was not a whole database/);
  });

  test('leaves no name behind when it came to nothing', () => {
    const node = new SimNode();
    const copy = startCopy(node, bytesOf(SECOND).subarray(0, 1700));
    assert.throws(() => node.answer(() => copy.flush(0)), { code: 'IMAGE_FORMAT' });
    copy.release();
    assert.equal(node.engine.store.find(NAME), undefined);
    assert.deepEqual([...node.engine.store.names()], []);
  });

  test('is refused at once when it is no database', () => {
    const node = new SimNode();
    const text = new TextEncoder().encode('not a database');
    assert.throws(() => startCopy(node, text), { code: 'IMAGE_FORMAT' });
  });

  test('is refused when its pages have another size', () => {
    const { node, client } = withDatabase();
    const copy = startCopy(node, bytesOf(samplePages(random, 1024, 4)));
    assert.throws(() => node.answer(() => copy.flush(0)), { code: 'IMAGE_PAGE_SIZE' });
    copy.release();
    assert(equalPages(client.pages(), FIRST));
  });

  test('comes in one behind the other when there are two', () => {
    const { node, client } = withDatabase();
    // So large that each is compared in several steps.
    const copies = [9000, 8600].map((pageCount) => samplePages(random, 512, pageCount));
    const files = copies.map((pages) => startCopy(node, bytesOf(pages)));
    const answers = files.map((file) => file.flush(0)).filter((answer) => answer !== undefined);
    for (const answer of answers) node.settle(answer);
    assert.deepEqual(contentOf(client.pages()), contentOf(copies[1]));
    assert.equal(node.engine.store.findDatabase(NAME)!.database.state.txid, 3n);
    for (const file of files) file.release();
    node.close();
    assert.deepEqual(contentOf(readState(node.reopen(node.disk)).get(NAME)), contentOf(copies[1]));
  });

  test('waits for clients, and gives up when they do not let it in', () => {
    const { node, client } = withDatabase();
    node.exclusionFailure = new Error('busy');
    const copy = startCopy(node, bytesOf(SECOND));
    assert.throws(() => node.answer(() => copy.flush(0)), { message: 'busy' });
    copy.release();
    assert(equalPages(client.pages(), FIRST));
  });

  test('makes void what a client that died left behind', () => {
    for (const share of [0, 0.5]) {
      const { node, client } = withDatabase();
      const next = changedPages(random, FIRST, { changesMax: 6 });
      const writer = new RollbackWriter(client, next, { end: 'delete' });
      writer.writeJournal();
      if (share > 0) writer.writePages(share);
      writer.giveUp();
      client.close();
      const copy = startCopy(node, bytesOf(SECOND));
      node.answer(() => copy.flush(0));
      copy.release();
      const reader = new SqliteClient(node, NAME);
      assert.equal(node.engine.store.find(`${NAME}-journal`)!.sizeBytes, 0, 'The journal is hot');
      assert.deepEqual(contentOf(reader.pages()), contentOf(SECOND));
    }
  });

  test('is seen by connections in WAL mode, which go on', () => {
    const { node, client } = withDatabase(inMode(FIRST, 'wal'));
    const wal = new WalClient(client, random);
    wal.commit(changedPages(random, inMode(FIRST, 'wal')), { syncs: true });
    const copy = startCopy(node, bytesOf(SECOND));
    node.answer(() => copy.flush(0));
    copy.release();
    const found = wal.pages();
    assert.equal(found[0]![18], 2, 'It stays in WAL mode');
    assert.equal(found.length, SECOND.length);
    const next = changedPages(random, found);
    wal.commit(next, { syncs: true });
    assert(equalPages(wal.pages(), next));
  });

  test('shows a transaction that is in the log though the file could not take it', () => {
    const { node, client } = withDatabase();
    node.disk.failAt({ n: 1, op: 'database.write', error: 'EIO' });
    const copy = startCopy(node, bytesOf(SECOND));
    node.answer(() => copy.flush(0));
    copy.release();
    assert.deepEqual(contentOf(client.pages()), contentOf(SECOND));
    const next = changedPages(random, SECOND);
    assert.throws(() => commitRollback(client, next, { end: 'delete' }), {
      code: 'DATABASE_BROKEN',
    });
    assert.deepEqual(contentOf(client.pages()), contentOf(SECOND));
    node.close();
    assert.deepEqual(contentOf(readState(node.reopen(node.disk)).get(NAME)), contentOf(SECOND));
  });
});

describe('a database that is removed', () => {
  test('is left alone by a checkpoint that comes while its end is being made durable', () => {
    const { node, client } = withDatabase();
    const removed = node.request(() => node.engine.store.remove(NAME))!;
    node.engine.checkpointAll();
    node.settle(removed);
    assert.equal(client.main.sizeBytes, 0);
    node.engine.checkpointAll();
  });

  test('is empty to who has it open, and takes no writes from him', () => {
    const { node, client } = withDatabase();
    node.answer(() => node.engine.store.remove(NAME));
    assert.equal(node.engine.store.find(NAME), undefined);
    assert.deepEqual(client.pages(), []);
    assert.throws(() => client.writePage(1, FIRST[0]!), { code: 'DATABASE_NOT_FOUND' });

    const another = new SqliteClient(node, NAME);
    commitRollback(another, SECOND, { end: 'delete' });
    assert.deepEqual(client.pages(), [], 'What has its name now is another database');
    assert(equalPages(another.pages(), SECOND));
    client.close();
  });

  test('may come back with pages of another size, and counts its transactions on', () => {
    const { node, client } = withDatabase();
    client.close();
    node.answer(() => node.engine.store.remove(NAME));
    const pages = samplePages(random, 4096, 3);
    commitRollback(new SqliteClient(node, NAME, 4096), pages, { end: 'persist' });
    assert.equal(node.engine.store.findDatabase(NAME)!.database.state.txid, 3n);
    node.close();
    assert(equalPages(readState(node.reopen(node.disk)).get(NAME), pages));
  });

  test('stays when its removal cannot be logged', () => {
    const { node, client } = withDatabase();
    node.disk.failAt({ n: 1, op: 'log.append', error: 'ENOSPC' });
    const remove = (): void => node.answer(() => node.engine.store.remove(NAME));
    assert.throws(remove, { code: 'ENOSPC' });
    assert(equalPages(client.pages(), FIRST));
    node.disk.failAt({ n: 1, op: 'log.sync', error: 'EIO' });
    assert.throws(remove, { code: 'LOG_FAILED' });
    assert(equalPages(client.pages(), FIRST));
    assert(equalPages(readState(node).get(NAME), FIRST));
  });
});

describe('what SQLite may not do', () => {
  test('is to write while its transaction is being committed', () => {
    const { node, client } = withDatabase();
    const next = changedPages(random, FIRST);
    const writer = new RollbackWriter(client, next, { end: 'delete' });
    writer.writeJournal();
    writer.writePages();
    const journal = client.openOrCreate(writer.journalName);
    const header = client.read(journal, 0, 512).slice();
    const committed = node.request(() => node.engine.store.remove(writer.journalName))!;
    journal.write(header, 0, header.length, 0);
    const page = new Uint8Array(512).fill(1);
    assert.throws(() => client.main.write(page, 0, 512, 512), { code: 'DATABASE_IN_USE' });
    node.settle(committed);
    assert(equalPages(client.pages(), next));
    assert(equalPages(readState(node).get(NAME), next));
  });

  test('is to write to a copy that is being stored', () => {
    const { node, client } = withDatabase();
    const copy = startCopy(node, bytesOf(SECOND));
    const replaced = node.request(() => copy.flush(0))!;
    const page = new Uint8Array(512).fill(1);
    assert.throws(() => copy.write(page, 0, 512, 512), { code: 'DATABASE_IN_USE' });
    node.settle(replaced);
    assert.deepEqual(contentOf(client.pages()), contentOf(SECOND));
  });

  test('writes without a journal', () => {
    const { client } = withDatabase();
    const write = (): void => client.writePage(2, FIRST[0]!);
    assert.throws(write, { code: 'WRITE_WITHOUT_JOURNAL' });
    assert.throws(() => client.truncate(client.main, 512), { code: 'WRITE_WITHOUT_JOURNAL' });
  });

  test('changes the page size', () => {
    const { client } = withDatabase();
    const page = FIRST[0]!.slice();
    new DataView(page.buffer).setUint16(16, 1024);
    const next = [page, ...FIRST.slice(1)];
    assert.throws(() => commitRollback(client, next, { end: 'delete' }), {
      code: 'IMAGE_PAGE_SIZE',
    });
    assert(equalPages(client.pages(), FIRST));
  });

  test('stores what is no database', () => {
    const { client } = withDatabase();
    const next = [new Uint8Array(512).fill(1), ...FIRST.slice(1)];
    assert.throws(() => commitRollback(client, next, { end: 'delete' }), { code: 'IMAGE_FORMAT' });
    assert(equalPages(client.pages(), FIRST));
  });

  test('does nothing when the first transaction of a database is rolled back after a spill', () => {
    const node = new SimNode();
    const client = new SqliteClient(node, NAME);
    const writer = new RollbackWriter(client, FIRST, { end: 'delete' });
    writer.writeJournal();
    writer.writePages(0.5);
    writer.rollBack();
    assert.equal(node.engine.log.lastLsn, 0);
    commitRollback(client, SECOND, { end: 'delete' });
    assert(equalPages(client.pages(), SECOND));
  });
});

describe('names on the mount', () => {
  test('cannot be those of databases when they leave no room, or mean something', () => {
    const { store } = new SimNode().engine;
    for (const name of ['a'.repeat(250), 'a\u0001b']) {
      assert.throws(() => store.create(name, 'read-write', OWNER), { code: 'DATABASE_NAME' }, name);
    }
    assert.throws(() => store.create('app.db-pos', 'write', OWNER), { code: 'DATABASE_NAME' });
    store.create('a'.repeat(243), 'read-write', OWNER);
  });

  test('leave nothing behind when nothing was ever committed to them', () => {
    const node = new SimNode();
    const { store, folder } = node.engine;
    for (const name of ['a.db', 'a.db-journal', 'a.db-wal', 'a.db-shm']) {
      for (let n = 0; n < 2; n++) {
        const file = store.create(name, 'read-write', OWNER);
        file.opened();
        file.release();
        node.answer(() => store.remove(name));
      }
    }
    const copy = startCopy(node, bytesOf(FIRST).subarray(0, 1000), 'b.db');
    copy.release();
    assert.deepEqual([...store.databases], []);
    assert.deepEqual(node.disk.list('test', folder.databases), []);
    assert.deepEqual(node.disk.list('test', folder.scratch), []);
  });

  test('are those of databases that exist, with a position, and of what lies beside them', () => {
    const { node, client } = withDatabase(inMode(FIRST, 'wal'));
    const wal = new WalClient(client, random);
    assert.deepEqual(
      [...node.engine.store.names()],
      ['app.db', 'app.db-pos', 'app.db-shm', 'app.db-wal'],
    );
    wal.closeLast();
    assert.deepEqual([...node.engine.store.names()], ['app.db', 'app.db-pos']);
  });

  test('keep a renamed file away from a database that is in use', () => {
    const { node, client } = withDatabase();
    const copy = startCopy(node, bytesOf(SECOND), '.app.db.tmp');
    copy.release();
    const { store } = node.engine;
    const rename = (): void => node.answer(() => store.rename('.app.db.tmp', NAME, OWNER));
    assert.throws(rename, { code: 'DATABASE_IN_USE' });
    assert.throws(() => store.rename(NAME, 'b.db', OWNER), { code: 'OPERATION_NOT_SUPPORTED' });
    client.close();
    rename();
    assert.deepEqual(contentOf(readState(node).get(NAME)), contentOf(SECOND));
  });
});
