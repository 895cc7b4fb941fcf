// A LiteFS follows a Skein primary: whatever clients do there, and whichever of the two goes away
// and comes back.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createWorkload, JOURNAL_MODES, runWorkload } from '@skein/testkit';

import {
  assertSame,
  createLitefsNetwork,
  createLitefsPair,
  followWithLitefs,
  leadWithLitefs,
  leadWithSkein,
  type LitefsPair,
} from '../lib/litefs-pair.ts';
import { startLoad } from '../lib/litefs-load.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { connect } from '../lib/test-cluster.ts';

/** Of random bytes, that no compression makes smaller. */
const LARGE_BYTES = 24_000_000;
/** Of a small database, these are more to send than the whole of it. */
const TRANSACTIONS_FOR_SNAPSHOT = 1100;
const TXID_LENGTH = 16;
const ROUNDS = scaled(2, 20);
/** Longer than nodes of Skein bear with each other. */
const FAULT_MS = 4000;

suite(`A LiteFS follows a Skein primary: ${replayHint(SEED, 'litefs')}`, () => {
  for (const journalMode of JOURNAL_MODES) {
    test(`with a random workload in ${journalMode} mode`, async (t) => {
      const pair = await createLitefsPair(t);
      if (pair === undefined) return;
      await leadWithSkein(pair);
      await followWithLitefs(pair);
      const client = await connect(t, pair.skein.path('w.db'));
      await runWorkload(client, createWorkload({ seed: SEED, journalModes: [journalMode] }));
      await assertSame(t, pair);
      await client.kill();
    });
  }

  test('with modes that change', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    for (const seed of [SEED, SEED + 1, SEED + 2]) {
      const client = await connect(t, pair.skein.path(`w${seed}.db`));
      await runWorkload(client, createWorkload({ seed }));
      await client.kill();
    }
    await assertSame(t, pair);
  });

  test('with a database that is dropped and made again', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const path = pair.skein.path('d.db');
    for (const value of [1, 2]) {
      const client = await connect(t, path);
      await client.exec('CREATE TABLE t (v)');
      await client.exec('INSERT INTO t VALUES (?)', [value]);
      await client.kill();
      await assertSame(t, pair);
      if (value === 2) break;
      rmSync(path);
      await assertSame(t, pair);
      assert.deepEqual([...pair.litefs.positions().keys()], []);
    }
    const reader = await connect(t, pair.litefs.path('d.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[2]]);
  });

  test('with transactions over several databases, and large ones', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const client = await connect(t, pair.skein.path('a.db'));
    await client.exec(`ATTACH '${pair.skein.path('b.db')}' AS b`);
    for (const schema of ['main', 'b']) await client.exec(`CREATE TABLE ${schema}.t (v)`);
    await client.exec('BEGIN');
    for (const schema of ['main', 'b']) {
      await client.exec(`INSERT INTO ${schema}.t VALUES (randomblob(?))`, [LARGE_BYTES]);
    }
    await client.exec('COMMIT');
    await client.exec('UPDATE b.t SET v = NULL');
    await client.exec('VACUUM b');
    await client.kill();
    await assertSame(t, pair);
  });

  test('after either was away, stopped or killed', async (t) => {
    const pair = await createLitefsPair(t, { timeoutMs: 180_000 });
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const insert = async (count: number): Promise<void> => {
      const client = await connect(t, skein.path('a.db'));
      await client.exec('PRAGMA journal_mode = WAL');
      await client.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v)');
      for (let i = 0; i < count; i += 1) await client.exec('INSERT INTO t (v) VALUES (1)');
      await client.kill();
    };
    await insert(20);
    await assertSame(t, pair);
    for (const end of ['stop', 'kill'] as const) {
      await litefs[end]();
      await insert(5);
      await followWithLitefs(pair);
      await assertSame(t, pair);
      await skein[end]();
      await leadWithSkein(pair);
      await insert(5);
      await assertSame(t, pair);
    }
    assert.ok(litefs.ltxFiles('a.db').length > 20, 'It was sent transactions, and no snapshot');
  });

  test('from a snapshot when it was away for long', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const client = await connect(t, skein.path('a.db'));
    await client.exec('PRAGMA journal_mode = WAL');
    await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
    await client.exec('INSERT INTO t VALUES (1, 0)');
    await assertSame(t, pair);
    await litefs.stop();
    for (let i = 1; i <= TRANSACTIONS_FOR_SNAPSHOT; i += 1) {
      await client.exec('UPDATE t SET v = ?', [i]);
    }
    await followWithLitefs(pair);
    await assertSame(t, pair);
    assertHasSnapshot(pair, 'a.db');
    await client.exec('UPDATE t SET v = -1');
    await assertSame(t, pair);
  });

  test('from a snapshot when it went its own way', async (t) => {
    const pair = await createLitefsPair(t);
    if (pair === undefined) return;
    const { skein, litefs } = pair;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const client = await connect(t, skein.path('a.db'));
    await client.exec('CREATE TABLE t (v)');
    await assertSame(t, pair);
    await litefs.stop();
    await leadWithLitefs(pair);
    const stray = await connect(t, litefs.path('a.db'));
    await stray.exec('INSERT INTO t VALUES (1)');
    await stray.exec('INSERT INTO t VALUES (2)');
    await stray.kill();
    await litefs.stop();
    await client.exec('INSERT INTO t VALUES (3)');
    await followWithLitefs(pair);
    await assertSame(t, pair);
    assertHasSnapshot(pair, 'a.db');
    const reader = await connect(t, litefs.path('a.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[3]]);
  });

  test('under load, while it is killed and frozen', async (t) => {
    const pair = await createLitefsPair(t, { timeoutMs: 300_000 });
    if (pair === undefined) return;
    const { litefs } = pair;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const load = await startLoad(t, pair.skein.mountpoint);
    for (let round = 0; round < ROUNDS; round += 1) {
      await litefs.kill();
      await sleep(FAULT_MS);
      await followWithLitefs(pair);
      litefs.pause();
      await sleep(FAULT_MS);
      litefs.resume();
    }
    await load.stop();
    await assertSame(t, pair);
  });

  test('over a connection that is cut for a while', async (t) => {
    const network = await createLitefsNetwork(t, SEED);
    if (network === undefined) return;
    const { pair, cut, heal } = network;
    await leadWithSkein(pair);
    await followWithLitefs(pair);
    const client = await connect(t, pair.skein.path('a.db'));
    await client.exec('CREATE TABLE t (v)');
    await assertSame(t, pair);
    cut();
    await client.exec('INSERT INTO t VALUES (1)');
    await sleep(FAULT_MS);
    await client.exec('INSERT INTO t VALUES (2)');
    heal();
    await assertSame(t, pair);
  });
});

/** LiteFS keeps nothing beside a snapshot that it has got. */
function assertHasSnapshot({ litefs }: LitefsPair, name: string): void {
  const txid = litefs.positions().get(name)!.slice(0, TXID_LENGTH);
  assert.deepEqual(litefs.ltxFiles(name), [`0000000000000001-${txid}.ltx`]);
}
