// import, export and status as people run them: on a data folder alone, and on a node that runs.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { DEFAULT_ENGINE_OPTIONS } from '@skein/engine';
import { onTestEnd, RecordingLog, requirePart, startSqlite, tempDir } from '@skein/testkit';

import type { NodeStatus } from '../api/node-control.ts';
import { startApi } from '../api/server.ts';
import { OfflineNode } from '../offline/offline-node.ts';
import { type ProgramRun, runSkein, type RunOptions } from '../../test/skein-program.ts';

interface Place {
  readonly folder: string;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<ProgramRun>;
  /** As run(), and it must succeed: what it printed. */
  readonly runWell: (args: readonly string[], options?: RunOptions) => Promise<string>;
  /** As run(), and it must fail with this exit code: what it said. */
  readonly runBadly: (exitCode: number, args: readonly string[]) => Promise<string>;
}

function setUp(t: TestContext): Place {
  const folder = tempDir(t);
  const run: Place['run'] = (args, options) => runSkein(args, { cwd: folder, ...options });
  return {
    folder,
    run,
    runWell: async (args, options) => {
      const { exitCode, stdout, stderr } = await run(args, options);
      assert.equal(exitCode, 0, stderr);
      return stdout.toString();
    },
    runBadly: async (exitCode, args) => {
      const result = await run(args);
      assert.equal(result.exitCode, exitCode, result.stderr);
      assert.doesNotMatch(result.stderr, /\n\s+at /, 'A stack trace');
      assert.equal(result.stdout.toString(), '');
      return result.stderr;
    },
  };
}

function makeDatabase(path: string, sql = 'CREATE TABLE t(a); INSERT INTO t VALUES (42);'): Buffer {
  const script = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])';
  const { status, stderr } = spawnSync('python3', ['-c', script, path, sql], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return readFileSync(path);
}

/** A node on the folder `data`, which answers in this process. */
async function serve(t: TestContext, folder: string): Promise<OfflineNode> {
  const dataFolder = join(folder, 'data');
  const log = new RecordingLog();
  const node = OfflineNode.open({ ...DEFAULT_ENGINE_OPTIONS, dataFolder, mayCreate: true, log });
  onTestEnd(t, () => node.close());
  const server = await startApi({ control: node, dataFolder, http: undefined, log });
  onTestEnd(t, () => server.close());
  return node;
}

const DATA = ['--data', 'data'];

for (const isServed of [false, true]) {
  describe(`skein import and export ${isServed ? 'on a node that runs' : 'on a folder'}`, () => {
    const start = async (t: TestContext): Promise<Place | undefined> => {
      if (!requirePart(t, 'python3')) return undefined;
      const place = setUp(t);
      if (isServed) await serve(t, place.folder);
      return place;
    };

    test('give back a database byte by byte, and say how it is', async (t) => {
      const place = await start(t);
      if (place === undefined) return;
      const { folder, runWell } = place;
      const bytes = makeDatabase(join(folder, 'app.db'));
      const imported = await runWell(['import', ...DATA, 'app.db']);
      assert.equal(imported, 'Imported app.db: 8.00 KiB, transaction 0000000000000001\n');
      const exported = await runWell(['export', ...DATA, '--name', 'app.db', 'copy.db']);
      assert.equal(exported, 'Exported app.db: 8.00 KiB\n');
      assert.ok(readFileSync(join(folder, 'copy.db')).equals(bytes));
      assert.deepEqual(readdirSync(folder).sort(), ['app.db', 'copy.db', 'data']);

      const status = JSON.parse(await runWell(['status', ...DATA, '--json'])) as NodeStatus;
      assert.equal(status.databases[0]!.name, 'app.db');
      assert.equal(status.databases[0]!.sizeBytes, 8192);
      const table = await runWell(['status', ...DATA]);
      assert.match(table, /^DATABASE +SIZE +PAGES +PAGE SIZE +JOURNAL +TXID +CHECKSUM$/m);
      assert.match(table, /^app\.db +8\.00 KiB +2 +4096 +rollback +0{15}1 +[0-9a-f]{16}$/m);
    });

    test('go through pipes', async (t) => {
      const place = await start(t);
      if (place === undefined) return;
      const { folder, runWell, run } = place;
      const input = makeDatabase(join(folder, 'app.db'));
      await runWell(['import', ...DATA, '--name', 'x y.db', '-'], { input });
      const { stdout, exitCode } = await run(['export', ...DATA, '--name', 'x y.db', '-']);
      assert.equal(exitCode, 0);
      assert.ok(stdout.equals(input));
    });

    test('refuse what is no database, and databases that are not', async (t) => {
      const place = await start(t);
      if (place === undefined) return;
      const { folder, runBadly, runWell } = place;
      writeFileSync(join(folder, 'text'), 'hello');
      writeFileSync(join(folder, 'cut.db'), makeDatabase(join(folder, 'a.db')).subarray(0, 5000));
      writeFileSync(join(folder, 'empty.db'), '');
      await runWell(['import', ...DATA, 'a.db']);
      for (const file of ['text', 'cut.db', 'empty.db']) {
        const message = await runBadly(1, ['import', ...DATA, '--name', 'a.db', file]);
        assert.match(message, /^skein: Cannot store a\.db: it is no whole SQLite database \(/);
        assert.match(message, /\n {2}Copy the file again/);
      }
      assert.match(
        await runBadly(1, ['export', ...DATA, 'no.db']),
        /There is no database "no\.db"/,
      );
      assert.equal(existsSync(join(folder, 'no.db')), false);
      assert.match(
        await runBadly(1, ['import', ...DATA, '-n', '../x', 'a.db']),
        /contains a slash/,
      );
      const { databases } = JSON.parse(await runWell(['status', ...DATA, '--json'])) as NodeStatus;
      assert.deepEqual(
        databases.map(({ name, txid }) => [name, txid]),
        [['a.db', '0000000000000001']],
      );
    });

    test('have a file replaced only when told to, with what SQLite left beside it', async (t) => {
      const place = await start(t);
      if (place === undefined) return;
      const { folder, runBadly, runWell } = place;
      const bytes = makeDatabase(join(folder, 'a.db'));
      await runWell(['import', ...DATA, '--quiet', 'a.db']);
      writeFileSync(join(folder, 'old.db'), 'precious');
      writeFileSync(join(folder, 'old.db-journal'), 'hot');
      const export_ = ['export', ...DATA, '--name', 'a.db'];
      assert.match(await runBadly(1, [...export_, 'old.db']), /old\.db exists\n {2}.*--force/);
      assert.equal(readFileSync(join(folder, 'old.db'), 'utf8'), 'precious');
      writeFileSync(join(folder, 'lone.db-wal'), 'x');
      assert.match(await runBadly(1, [...export_, 'lone.db']), /lone\.db-wal exists/);
      assert.equal(await runWell([...export_, '--force', '--quiet', 'old.db']), '');
      assert.ok(readFileSync(join(folder, 'old.db')).equals(bytes));
      assert.equal(existsSync(join(folder, 'old.db-journal')), false);
      assert.match(await runBadly(1, [...export_, 'missing/x.db']), /missing\/x\.db: ENOENT/);
    });
  });
}

describe('skein import', () => {
  test('refuses a database that is not complete in its file', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, runBadly } = setUp(t);
    const writer = startSqlite(t);
    await writer.open(join(folder, 'a.db'));
    await writer.exec('PRAGMA journal_mode=wal');
    await writer.exec('CREATE TABLE t(a)');
    assert.match(await runBadly(1, ['import', ...DATA, 'a.db']), /may be in a\.db-wal\n/);
    await writer.close();
    makeDatabase(join(folder, 'b.db'));
    writeFileSync(join(folder, 'b.db-journal'), 'hot');
    assert.match(await runBadly(1, ['import', ...DATA, 'b.db']), /may be in b\.db-journal\n/);
    assert.equal(existsSync(join(folder, 'data')), false, 'Nothing was made for nothing');
  });

  test('refuses a database that is being written', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, runBadly } = setUp(t);
    makeDatabase(join(folder, 'a.db'));
    const writer = startSqlite(t);
    await writer.open(join(folder, 'a.db'));
    await writer.exec('BEGIN EXCLUSIVE');
    assert.match(await runBadly(1, ['import', ...DATA, 'a.db']), /a program is writing to it/);
  });

  test('refuses files that are none', async (t) => {
    const { runBadly } = setUp(t);
    assert.match(await runBadly(1, ['import', ...DATA, 'missing']), /Cannot read missing: ENOENT/);
    assert.match(await runBadly(1, ['import', ...DATA, '.']), /Cannot read \.: it is no file/);
    assert.match(await runBadly(2, ['import', ...DATA, '-']), /standard input needs a name/);
    assert.match(await runBadly(2, ['import', ...DATA]), /missing required argument 'file'/);
  });

  test('shows no progress where nobody looks, when it is soon over', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, run } = setUp(t);
    makeDatabase(join(folder, 'a.db'));
    const { stderr } = await run(['import', ...DATA, 'a.db']);
    assert.equal(stderr, '');
  });
});

describe('skein export', () => {
  test('makes a file as the umask has it', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, runWell } = setUp(t);
    makeDatabase(join(folder, 'a.db'));
    await runWell(['import', ...DATA, 'a.db']);
    await runWell(['export', ...DATA, '--name', 'a.db', 'b.db']);
    const expected = 0o666 & ~process.umask();
    assert.equal(statSync(join(folder, 'b.db')).mode & 0o777, expected);
  });

  test('ends quietly when nobody reads on', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const { folder, runWell, run } = setUp(t);
    makeDatabase(
      join(folder, 'a.db'),
      'CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(4000000));',
    );
    await runWell(['import', ...DATA, 'a.db']);
    const { exitCode, stderr } = await run(['export', ...DATA, '--name', 'a.db', '-'], {
      onStdout: (stdout) => stdout.once('data', () => stdout.destroy()),
    });
    assert.equal(stderr, '');
    assert.equal(exitCode, 1);
  });
});

describe('skein status', () => {
  test('says what is missing', async (t) => {
    const { runBadly, folder } = setUp(t);
    assert.match(await runBadly(1, ['status', ...DATA]), /There is no data folder .*\/data\n/);
    assert.match(await runBadly(2, ['status']), /which data folder\?\n {2}Say --data/);
    assert.match(
      await runBadly(2, ['status', '--config', 'no.yml']),
      /no\.yml: reading it gives ENOENT/,
    );
    writeFileSync(join(folder, 'skein.yml'), 'data:\n  pth: x\n');
    const message = await runBadly(2, ['status']);
    assert.match(
      message,
      /^skein: skein\.yml:2: data\.pth: there is no such key \(known here: path,/,
    );
  });

  test('finds the data folder through the configuration', async (t) => {
    const { runWell, folder } = setUp(t);
    writeFileSync(join(folder, 'skein.yml'), 'mount: { path: $NAME }\n');
    mkdirSync(join(folder, '.app'));
    const status = await runWell(['status', '--json'], { env: { NAME: 'app' } });
    assert.equal((JSON.parse(status) as NodeStatus).dataFolder, join(folder, '.app'));
    assert.match(
      await runWell(['status'], { env: { NAME: 'app' } }),
      /There are no databases\.\n$/,
    );
  });

  test('does not open a data folder that is in use, or belongs to LiteFS', async (t) => {
    const { runBadly, folder } = setUp(t);
    const options = { ...DEFAULT_ENGINE_OPTIONS, dataFolder: join(folder, 'data') };
    const node = OfflineNode.open({ ...options, mayCreate: true });
    onTestEnd(t, () => node.close());
    assert.match(
      await runBadly(1, ['status', ...DATA]),
      /it is in use\n {2}Another node runs on it/,
    );
    mkdirSync(join(folder, 'litefs', 'dbs', 'a.db', 'ltx'), { recursive: true });
    assert.match(await runBadly(1, ['status', '-d', 'litefs']), /it is one of LiteFS\n/);
    assert.deepEqual(readdirSync(join(folder, 'litefs')), ['dbs']);
  });
});
