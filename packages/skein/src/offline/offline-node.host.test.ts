// A data folder without a daemon: databases go in and come out as they were.

import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { DEFAULT_ENGINE_OPTIONS, EngineError } from '@skein/engine';
import { onTestEnd, RecordingLog, requirePart, startSqlite, tempDir } from '@skein/testkit';

import { OfflineNode } from './offline-node.ts';

interface Place {
  readonly folder: string;
  readonly dataFolder: string;
  readonly node: OfflineNode;
}

function open(t: TestContext, dataFolder: string): OfflineNode {
  const log = new RecordingLog();
  const options = { ...DEFAULT_ENGINE_OPTIONS, dataFolder, mayCreate: true, log };
  const node = OfflineNode.open(options);
  let isOpen = true;
  const close = node.close.bind(node);
  node.close = (): void => {
    if (isOpen) close();
    isOpen = false;
  };
  onTestEnd(t, () => node.close());
  return node;
}

function setUp(t: TestContext): Place {
  const folder = tempDir(t);
  const dataFolder = join(folder, 'data');
  return { folder, dataFolder, node: open(t, dataFolder) };
}

async function makeDatabase(t: TestContext, path: string, ...sql: string[]): Promise<void> {
  const client = startSqlite(t);
  await client.open(path);
  for (const statement of sql) await client.exec(statement);
  await client.close();
}

const FILL =
  'INSERT INTO t SELECT value, zeroblob(1000) FROM (WITH RECURSIVE n(value) AS ' +
  '(SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 3000) SELECT value FROM n)';

function isRefusal(code: string): (error: Error) => boolean {
  return (error) => error instanceof EngineError && error.code === code;
}

describe('OfflineNode', () => {
  for (const mode of ['delete', 'wal']) {
    test(`gives back what it took in, byte by byte (${mode})`, async (t) => {
      if (!requirePart(t, 'python3')) return;
      const { folder, dataFolder, node } = setUp(t);
      const [source, target] = [join(folder, 'a.db'), join(folder, 'b.db')];
      await makeDatabase(t, source, `PRAGMA journal_mode=${mode}`, 'CREATE TABLE t(a, b)', FILL);
      const imported = await node.importDatabase('app.db', source);
      const { size } = statSync(source);
      assert.equal(imported.sizeBytes, size);
      assert.equal(imported.journalMode, mode === 'wal' ? 'wal' : 'rollback');
      assert.match(node.metrics(), /^skein_transactions_total 1$/mu);
      assert.match(node.metrics(), /^skein_transactions_refused_total 0$/mu);
      node.close();

      const again = open(t, dataFolder);
      const steps: number[] = [];
      const exported = await again.exportDatabase('app.db', target, (done, total) => {
        assert.equal(total, size);
        steps.push(done);
      });
      assert.deepEqual(exported, imported);
      assert.ok(readFileSync(source).equals(readFileSync(target)));
      assert.equal(steps.at(-1), size);
      assert.ok(steps.length > 1, 'Progress comes in steps');
    });
  }

  test('replaces a database, whose transactions go on counting', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, node } = setUp(t);
    const [first, second] = [join(folder, 'a.db'), join(folder, 'b.db')];
    await makeDatabase(t, first, 'CREATE TABLE t(a, b)', FILL);
    await makeDatabase(t, second, 'CREATE TABLE other(x)', 'INSERT INTO other VALUES (42)');
    await node.importDatabase('app.db', first);
    const { txid } = await node.importDatabase('app.db', second);
    assert.equal(txid, '0000000000000002');
    const target = join(folder, 'c.db');
    await node.exportDatabase('app.db', target);
    const client = startSqlite(t);
    await client.open(target);
    assert.deepEqual(await client.exec('SELECT x FROM other'), [[42]]);
    assert.deepEqual(await client.exec('PRAGMA integrity_check'), [['ok']]);
  });

  test('says how the node is', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, dataFolder, node } = setUp(t);
    await makeDatabase(t, join(folder, 'x'), 'CREATE TABLE t(a)');
    await node.importDatabase('b.db', join(folder, 'x'));
    await node.importDatabase('a.db', join(folder, 'x'));
    const status = await node.status();
    assert.equal(status.dataFolder, dataFolder);
    assert.equal(status.mountpoint, undefined);
    assert.match(status.nodeId, /^[0-9A-F]{16}$/);
    assert.equal(status.log.lastLsn, 2);
    assert.equal(status.log.durableLsn, 2);
    assert.ok(status.log.sizeBytes > 8192);
    const names = status.databases.map(({ name }) => name);
    assert.deepEqual(names, ['a.db', 'b.db']);
    assert.equal(status.databases[0]!.checksum, status.databases[1]!.checksum);
  });

  test('refuses what is no database, and is as before', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, node } = setUp(t);
    const path = join(folder, 'x');
    await makeDatabase(t, path, 'CREATE TABLE t(a, b)', FILL);
    await node.importDatabase('app.db', path);
    const before = await node.status();
    truncateSync(path, 8192);
    await assert.rejects(node.importDatabase('app.db', path), isRefusal('IMAGE_FORMAT'));
    writeFileSync(path, 'hello');
    await assert.rejects(node.importDatabase('new.db', path), isRefusal('IMAGE_FORMAT'));
    writeFileSync(path, '');
    await assert.rejects(node.importDatabase('new.db', path), isRefusal('IMAGE_FORMAT'));
    await assert.rejects(node.importDatabase('new.db', join(folder, 'no')), { code: 'ENOENT' });
    const after = await node.status();
    assert.deepEqual(after.databases, before.databases);
    assert.deepEqual(after.log, before.log);
  });

  test('refuses names that cannot be, and databases that are not', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, node } = setUp(t);
    const path = join(folder, 'x');
    await makeDatabase(t, path, 'CREATE TABLE t(a)');
    for (const name of ['', '.', '..', 'a/b', '../a', '.hidden', 'a-wal', 'a\n', 'x'.repeat(300)]) {
      await assert.rejects(node.importDatabase(name, path), isRefusal('DATABASE_NAME'), name);
    }
    const target = join(folder, 'out');
    await assert.rejects(node.exportDatabase('no.db', target), isRefusal('DATABASE_NOT_FOUND'));
    assert.equal(existsSync(target), false);
  });

  test('refuses a folder that another process uses', async (t) => {
    const { dataFolder } = setUp(t);
    assert.throws(() => open(t, dataFolder), isRefusal('DATA_DIRECTORY_IN_USE'));
  });

  test('refuses a folder that is not there, unless it may make it', (t) => {
    const dataFolder = join(tempDir(t), 'data');
    const options = { ...DEFAULT_ENGINE_OPTIONS, dataFolder, mayCreate: false };
    assert.throws(() => OfflineNode.open(options), isRefusal('DATABASE_NOT_FOUND'));
    assert.equal(existsSync(dataFolder), false);
  });

  test('refuses the folder of another user', (t) => {
    if (!requirePart(t, 'root')) return;
    const dataFolder = tempDir(t);
    chownSync(dataFolder, 65_534, 65_534);
    assert.throws(() => open(t, dataFolder), /belongs to another user/);
  });

  test('leaves scratch empty', async (t) => {
    const { node, dataFolder } = setUp(t);
    const path = node.newScratchPath('test');
    assert.notEqual(path, node.newScratchPath('test'));
    writeFileSync(path, 'x');
    node.close();
    assert.equal(existsSync(join(dataFolder, 'scratch', 'offline-1.test')), false);
    assert.equal(existsSync(path), false);
  });
});
