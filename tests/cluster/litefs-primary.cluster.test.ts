// A Skein follows a LiteFS primary: whatever clients do there, as far as LiteFS itself can, and
// whichever of the two goes away and comes back. What SQLite reads on the replica is read there.

import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createWorkload, JOURNAL_MODES, runWorkload, tempDir, waitUntil } from '@skein/testkit';

import {
  assertSame,
  createLitefsNetwork,
  createLitefsPair,
  followWithSkein,
  leadWithLitefs,
  leadWithSkein,
} from '../lib/litefs-pair.ts';
import { startLoad } from '../lib/litefs-load.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { connect } from '../lib/test-cluster.ts';

const LARGE_BYTES = 24_000_000;
/** Few pages: LiteFS cannot VACUUM in WAL mode where a database loses a block of 256. */
const WAL_PAGE_SIZE = 8192;
const ROUNDS = scaled(2, 20);
/** Longer than it takes until a silent peer is given up. */
const FAULT_MS = 4000;
const ARRIVAL_TIMEOUT_MS = 20_000;

suite(`A Skein follows a LiteFS primary: ${replayHint(SEED, 'litefs')}`, () => {
  for (const journalMode of JOURNAL_MODES) {
    test(`with a random workload in ${journalMode} mode`, async (t) => {
      const pair = await createLitefsPair(t);
      if (pair === undefined) return;
      await leadWithLitefs(pair);
      await followWithSkein(pair);
      const client = await connect(t, pair.litefs.path('w.db'));
      // LiteFS does not notice when a database leaves WAL mode.
      const journalModes = [journalMode];
      const pageSize = journalMode === 'wal' ? { pageSize: WAL_PAGE_SIZE } : {};
      const options = { seed: SEED, journalModes, ...pageSize };
      await runWorkload(client, createWorkload(options));
      await assertSame(t, pair);
      await client.kill();
    });
  }

  test('with a reader that holds its snapshot meanwhile', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const client = await connect(t, pair.litefs.path('a.db'));
    await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
    await client.exec('INSERT INTO t VALUES (1, 0)');
    await assertSame(t, pair);
    const [held, reader] = [
      await connect(t, pair.skein.path('a.db')),
      await connect(t, pair.skein.path('a.db')),
    ];
    await held.exec('BEGIN');
    assert.equal(Number(await held.value('SELECT v FROM t')), 0);
    for (let i = 1; i <= 20; i += 1) await client.exec('UPDATE t SET v = ?', [i]);
    const isThere = async (): Promise<boolean> =>
      Number(await reader.value('SELECT v FROM t')) === 20;
    await waitUntil('another reader sees it', isThere, ARRIVAL_TIMEOUT_MS);
    assert.equal(Number(await held.value('SELECT v FROM t')), 0);
    await held.exec('COMMIT');
    assert.equal(Number(await held.value('SELECT v FROM t')), 20);
  });

  test('with a database that is dropped and made again', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const path = pair.litefs.path('d.db');
    for (const value of [1, 2]) {
      const client = await connect(t, path);
      await client.exec('CREATE TABLE t (v)');
      await client.exec('INSERT INTO t VALUES (?)', [value]);
      await client.kill();
      await assertSame(t, pair);
      if (value === 2) break;
      rmSync(path);
      await assertSame(t, pair);
      assert.deepEqual([...(await pair.skein.positions()).keys()], []);
    }
    const reader = await connect(t, pair.skein.path('d.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[2]]);
  });

  test('with two databases, and large transactions', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    for (const [name, journalMode] of [
      ['a.db', 'DELETE'],
      ['b.db', 'WAL'],
    ] as const) {
      const client = await connect(t, pair.litefs.path(name));
      await client.exec(`PRAGMA journal_mode = ${journalMode}`);
      await client.exec('CREATE TABLE t (v)');
      await client.exec('INSERT INTO t VALUES (randomblob(?))', [LARGE_BYTES]);
      await client.exec('INSERT INTO t VALUES (1)');
      await client.kill();
    }
    await assertSame(t, pair);
  });

  test('after either was away, stopped or killed', async (t) => {
    const pair = await createLitefsPair(t, { timeoutMs: 180_000 });
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const insert = async (count: number): Promise<void> => {
      const client = await connect(t, litefs.path('a.db'));
      await client.exec('PRAGMA journal_mode = WAL');
      await client.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v)');
      for (let i = 0; i < count; i += 1) await client.exec('INSERT INTO t (v) VALUES (1)');
      await client.kill();
    };
    await insert(20);
    await assertSame(t, pair);
    for (const end of ['stop', 'kill'] as const) {
      await skein[end]();
      await insert(5);
      await followWithSkein(pair);
      await assertSame(t, pair);
      await litefs[end]();
      await leadWithLitefs(pair);
      await insert(5);
      await assertSame(t, pair);
    }
  });

  test('from a snapshot when the LTX files that it needs are gone', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const client = await connect(t, litefs.path('a.db'));
    await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
    await assertSame(t, pair);
    await skein.stop();
    for (let i = 0; i < 10; i += 1) await client.exec('INSERT INTO t (v) VALUES (?)', [i]);
    litefs.forgetLtx('a.db');
    await followWithSkein(pair);
    await assertSame(t, pair);
    const metrics = await skein.ask('/metrics');
    assert.match(metrics, /^skein_stream_received_files_total 1$/m);
    await client.exec('INSERT INTO t (v) VALUES (-1)');
    await assertSame(t, pair);
  });

  test('from a snapshot when a database leaves WAL mode: LiteFS sends a part of it', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const client = await connect(t, pair.litefs.path('a.db'));
    await client.exec('PRAGMA journal_mode = WAL');
    await client.exec('CREATE TABLE t (v)');
    await assertSame(t, pair);
    await client.exec('PRAGMA journal_mode = DELETE');
    await client.exec('INSERT INTO t VALUES (1)');
    await assertSame(t, pair);
    assert.match(pair.skein.log, /code=POSITION_MISMATCH/);
    await client.exec('INSERT INTO t VALUES (2)');
    await assertSame(t, pair);
  });

  test('from a snapshot when it went its own way, which is kept', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const client = await connect(t, litefs.path('a.db'));
    await client.exec('CREATE TABLE t (v)');
    await assertSame(t, pair);
    await skein.stop();
    await leadWithSkein(pair);
    const stray = await connect(t, skein.path('a.db'));
    await stray.exec('INSERT INTO t VALUES (1)');
    await stray.exec('INSERT INTO t VALUES (2)');
    await stray.kill();
    await skein.stop();
    await client.exec('INSERT INTO t VALUES (3)');
    await followWithSkein(pair);
    await assertSame(t, pair);
    const reader = await connect(t, skein.path('a.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[3]]);
    const kept = readdirSync(join(skein.dataFolder, 'dbs', 'a.db', 'diverged'));
    assert.notEqual(kept.length, 0);
  });

  test('with a file that litefs import puts in the place of a database', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const file = join(tempDir(t), 'file.db');
    for (const [path, value] of [
      [litefs.path('a.db'), 1],
      [file, 2],
    ] as const) {
      const client = await connect(t, path);
      await client.exec('CREATE TABLE t (v)');
      await client.exec('INSERT INTO t VALUES (?)', [value]);
      await client.kill();
    }
    await assertSame(t, pair);
    const reader = await connect(t, skein.path('a.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[1]]);
    await litefs.importDatabase('a.db', file);
    await assertSame(t, pair);
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[2]]);
  });

  test('over a connection that is cut for a while', async (t) => {
    const network = await createLitefsNetwork(t, SEED);
    if (network === undefined) return;
    const { pair, cut, heal } = network;
    const { skein, litefs } = pair;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const client = await connect(t, litefs.path('a.db'));
    await client.exec('CREATE TABLE t (v)');
    await assertSame(t, pair);
    cut();
    await client.exec('INSERT INTO t VALUES (1)');
    const hasNoticed = async (): Promise<boolean> =>
      (await skein.status()).cluster?.isCaughtUp !== true;
    await waitUntil('the replica notices', hasNoticed, ARRIVAL_TIMEOUT_MS);
    await client.exec('INSERT INTO t VALUES (2)');
    heal();
    await assertSame(t, pair);
    await client.exec('INSERT INTO t VALUES (3)');
    await assertSame(t, pair);
  });

  test('under load, while it is killed and frozen', async (t) => {
    const pair = await createLitefsPair(t, { timeoutMs: 300_000 });
    if (pair === undefined) return;
    const { skein } = pair;
    await leadWithLitefs(pair);
    await followWithSkein(pair);
    const load = await startLoad(t, pair.litefs.mountpoint);
    for (let round = 0; round < ROUNDS; round += 1) {
      await skein.kill();
      await sleep(FAULT_MS);
      await followWithSkein(pair);
      skein.pause();
      await sleep(FAULT_MS);
      skein.resume();
    }
    await load.stop();
    await assertSame(t, pair);
  });
});
