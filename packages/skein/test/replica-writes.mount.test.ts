// Stock clients that write on a replica: SQLite says "readonly database" and takes no lock that the
// node needs, programs are refused, and what comes from the primary comes all the same.

import assert from 'node:assert/strict';
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import {
  AS_NOBODY,
  hasPart,
  onTestEnd,
  requireDriver,
  requirePart,
  SQLITE_DRIVERS,
  type SqliteProcess,
  tempDir,
  type TestScope,
} from '@skein/testkit';

import { connect, rowsOf } from './clients.ts';
import { type NodePair, startPair } from './node-pair.ts';
import { run, runBadly, runWell } from './programs.ts';

const PARTS = ['fuse', 'root', 'python3'] as const;

describe('A replica', () => {
  const scope: TestScope = { after };
  onTestEnd(scope, () => {});
  let pair: NodePair;
  let writer: SqliteProcess;
  before(async () => {
    if (!hasPart('fuse') || !hasPart('root') || !hasPart('python3')) return;
    pair = await startPair(scope);
    await pair.show({ role: 'replica', primaryName: 'node1', heardMs: 1, statusJson: '{}' });
    writer = await connect(scope, pair.primary.path('app.db'), { journalMode: 'wal' });
    await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
    await writer.exec("INSERT INTO t (body) VALUES ('first')");
    await pair.caughtUp('app.db');
  });

  /** One more transaction of the primary is seen by a client that is connected. */
  async function goesOn(client: SqliteProcess): Promise<void> {
    await writer.exec("INSERT INTO t (body) VALUES ('more')");
    await pair.caughtUp('app.db');
    assert.deepEqual(await rowsOf(client), await rowsOf(writer));
  }

  for (const driver of SQLITE_DRIVERS) {
    test(`tells a client that it cannot write (${driver})`, async (t) => {
      if (!requirePart(t, ...PARTS) || !requireDriver(t, driver)) return;
      const client = await connect(t, pair.replica.path('app.db'), { driver });
      assert.deepEqual(await rowsOf(client), await rowsOf(writer));
      await assert.rejects(client.exec("INSERT INTO t (body) VALUES ('x')"), /readonly database/);
      await assert.rejects(client.exec('CREATE TABLE u (a)'), /readonly database/);
      await assert.rejects(client.exec('VACUUM'), /readonly database/);
      await goesOn(client);
    });

    test(`lets a client hold BEGIN IMMEDIATE, which takes nothing (${driver})`, async (t) => {
      if (!requirePart(t, ...PARTS) || !requireDriver(t, driver)) return;
      const client = await connect(t, pair.replica.path('app.db'), { driver });
      await client.exec('BEGIN IMMEDIATE').catch((error: Error) => {
        assert.match(error.message, /readonly database/);
      });
      const other = await connect(t, pair.replica.path('app.db'));
      await goesOn(other);
      await client.exec('ROLLBACK').catch(() => {});
      await goesOn(client);
    });
  }

  test('does not let a client change the journal mode', async (t) => {
    if (!requirePart(t, ...PARTS)) return;
    const client = await connect(t, pair.replica.path('app.db'));
    for (const mode of ['delete', 'truncate', 'persist', 'memory', 'off']) {
      // An I/O error is what SQLite says of every file that it could open for reading alone.
      const kept = await client.value(`PRAGMA journal_mode = ${mode}`).catch((error: Error) => {
        assert.match(error.message, /readonly database|disk I\/O error/);
        return 'wal';
      });
      assert.equal(kept, 'wal', mode);
    }
    await goesOn(client);
  });

  test('lets a client ask for a checkpoint, which does nothing', async (t) => {
    if (!requirePart(t, ...PARTS)) return;
    const client = await connect(t, pair.replica.path('app.db'));
    await rowsOf(client);
    for (const kind of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']) {
      await client.exec(`PRAGMA wal_checkpoint(${kind})`).catch((error: Error) => {
        assert.match(error.message, /readonly database/);
      });
      await goesOn(client);
    }
  });

  test('refuses what programs do to files', async (t) => {
    if (!requirePart(t, ...PARTS)) return;
    const { replica } = pair;
    const path = replica.path('app.db');
    const copy = join(tempDir(t), 'copy.db');
    writeFileSync(copy, 'x');
    const refused: ReadonlyArray<readonly [program: string, ...args: string[]]> = [
      ['rm', path],
      ['rm', `${path}-wal`],
      ['rm', `${path}-shm`],
      ['mv', path, replica.path('other.db')],
      ['cp', copy, path],
      ['cp', copy, replica.path('new.db')],
      ['truncate', '-s', '0', path],
      ['truncate', '-s', '0', `${path}-wal`],
      ['sh', '-c', `echo x >> "${path}"`],
      ['sh', '-c', `echo x > "${path}-wal"`],
      ['sh', '-c', `echo x > "${path}-journal"`],
      ['mkdir', replica.path('folder')],
    ];
    for (const [program, ...args] of refused) {
      assert.match(runBadly(program, args), /denied|not permitted/i, [program, ...args].join(' '));
    }
    assert.deepEqual(readdirSync(replica.mountpoint).sort(), [
      '.lag',
      '.primary',
      '.skein',
      'app.db',
      'app.db-pos',
      'app.db-shm',
      'app.db-wal',
    ]);
    const client = await connect(t, path);
    await goesOn(client);
  });

  test('does not make a database for a client', async (t) => {
    if (!requirePart(t, ...PARTS)) return;
    const failing = connect(t, pair.replica.path('new.db')).then((client) =>
      client.exec('CREATE TABLE t (a)'),
    );
    await assert.rejects(failing, /unable to open database file|readonly database/);
  });

  test('shows that its files are not to be written, but for the marks of readers', (t) => {
    if (!requirePart(t, ...PARTS)) return;
    const modeOf = (name: string): number => statSync(pair.replica.path(name)).mode & 0o777;
    assert.equal(modeOf('') & 0o222, 0);
    assert.equal(modeOf('app.db') & 0o222, 0);
    assert.equal(modeOf('app.db-wal') & 0o222, 0);
    assert.equal(modeOf('app.db-shm') & 0o200, 0o200);
    for (const name of ['', 'app.db', 'app.db-wal']) {
      assert.equal(run('test', ['-w', pair.replica.path(name)]).code, 1, name);
    }
    assert.equal(run('test', ['-w', pair.replica.path('app.db-shm')]).code, 0);
  });

  test('lets other users read', async (t) => {
    if (!requirePart(t, ...PARTS, 'sqlite3', 'setpriv')) return;
    const { mountpoint } = pair.replica;
    for (const folder of [dirname(mountpoint), dirname(dirname(mountpoint))]) {
      chmodSync(folder, 0o755);
    }
    const options = { driver: 'shell', prefix: AS_NOBODY } as const;
    const client = await connect(t, pair.replica.path('app.db'), options);
    assert.deepEqual(await rowsOf(client), await rowsOf(writer));
    await assert.rejects(client.exec("INSERT INTO t (body) VALUES ('x')"), /readonly database/);
    await goesOn(client);
  });

  test('copies and dumps like any other', async (t) => {
    if (!requirePart(t, ...PARTS, 'sqlite3')) return;
    const target = join(tempDir(t), 'backup.db');
    const backup =
      'import sqlite3, sys; source, target = map(sqlite3.connect, sys.argv[1:]); ' +
      'source.backup(target); print(target.execute("SELECT count(*) FROM t").fetchone()[0])';
    const count = (await rowsOf(writer)).length;
    const printed = runWell('python3', ['-c', backup, pair.replica.path('app.db'), target]);
    assert.equal(Number(printed), count);
    const dump = runWell('sqlite3', [pair.replica.path('app.db'), '.dump']);
    assert.equal(dump.match(/INSERT INTO t/g)?.length, count);
  });

  test('says once in its messages who the primary is', (t) => {
    if (!requirePart(t, ...PARTS)) return;
    const said = pair.log.split('\n').filter((line) => /Cannot write app\.db:/.test(line));
    assert.equal(said.length, 1, pair.log);
    assert.match(said[0]!, /INFO .*replica.*primary=node1/);
  });
});
