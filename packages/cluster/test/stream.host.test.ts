// A primary and its replicas over real sockets.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { toTxid } from '@skein/ltx';

import {
  authenticator,
  eventually,
  eventuallyEqual,
  hello,
  startPrimary,
  startReplica,
  type TestPrimary,
} from './fixture.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryLog } from './memory-log.ts';

function fill(
  primary: TestPrimary,
  name: string,
  count: number,
  database = new MemoryDatabase(),
): MemoryDatabase {
  for (let index = 0; index < count; index += 1) {
    const pgnos = database.position.txid === 0n ? [1, 2, 3] : [1 + (index % 3)];
    primary.log.append(name, database.commit({ pgnos, fill: index % 251 }));
  }
  return database;
}

describe('a replica', () => {
  test('gets a snapshot, then each transaction as it is committed', async (t) => {
    const primary = await startPrimary(t);
    const database = fill(primary, 'app.db', 5);
    const replica = startReplica(t, primary.url);
    await eventually(() => replica.client.status.state === 'ready');
    await eventuallyEqual(primary.log, replica.log);
    assert.equal(replica.log.entries.length, 1);
    assert.equal(replica.log.entries[0]!.minTxid, 1n);

    fill(primary, 'app.db', 3, database);
    await eventuallyEqual(primary.log, replica.log);
    assert.deepEqual(
      replica.log.entries.slice(1).map(({ bytes }) => bytes),
      primary.log.entries.slice(5).map(({ bytes }) => bytes),
    );
    assert.equal(replica.clusterId(), 'LFSC0000000000000001');
  });

  test('is let in with the right secret on both sides', async (t) => {
    const primary = await startPrimary(t, { authenticator: authenticator('secret') });
    fill(primary, 'app.db', 1);
    const replica = startReplica(t, primary.url, { authenticator: authenticator('secret') });
    await eventuallyEqual(primary.log, replica.log);
    primary.messages.expectNone('warn');
  });

  test('acknowledges what is durable, which the log learns', async (t) => {
    const primary = await startPrimary(t);
    const database = fill(primary, 'app.db', 1);
    const replica = startReplica(t, primary.url);
    await eventually(() => primary.log.acknowledged.get('app.db')?.txid === 1n);
    fill(primary, 'app.db', 200, database);
    await eventually(() => primary.log.acknowledged.get('app.db')?.txid === 201n);
    assert.deepEqual(primary.log.acknowledged.get('app.db'), database.position);
    const [status] = primary.server.replicas;
    assert.deepEqual(status?.positions.get('app.db'), {
      received: toTxid(201),
      durable: database.position,
      applied: database.position,
    });
    assert.equal(replica.metrics.sum('skein_stream_received_transactions_total'), 200);
  });

  test('goes on where it was after the connection broke', async (t) => {
    const primary = await startPrimary(t);
    const database = fill(primary, 'app.db', 2);
    const replica = startReplica(t, primary.url);
    await eventuallyEqual(primary.log, replica.log);
    primary.server.endStreams();
    fill(primary, 'app.db', 2, database);
    await eventuallyEqual(primary.log, replica.log);
    assert.equal(replica.metrics.sum('skein_stream_connections_total'), 2);
    assert.equal(replica.log.fileOffsets.length, 1);
  });

  test('gets a snapshot when the log does not reach so far, or its past differs', async (t) => {
    const primary = await startPrimary(t);
    fill(primary, 'app.db', 9);
    primary.log.trimmedTo = 5n;
    for (const replicaFill of [0, 77]) {
      const memory = new MemoryLog();
      const own = new MemoryDatabase();
      for (let txid = 1; txid <= 3 + replicaFill / 11; txid += 1) {
        memory.append('app.db', own.commit({ pgnos: [1, 2, 3], fill: replicaFill }));
      }
      const replica = startReplica(t, primary.url, { memory, hello: hello(`n${replicaFill}`) });
      await eventuallyEqual(primary.log, replica.log);
      assert.deepEqual(replica.log.fileOffsets, [0]);
    }
  });

  test('goes on with a snapshot that broke off, without what it has of it', async (t) => {
    const gate = Promise.withResolvers<void>();
    let pieces = 0;
    const memory = new MemoryLog({
      pieceBytes: 512,
      betweenPieces: () => {
        pieces += 1;
        return pieces === 2 ? gate.promise : Promise.resolve();
      },
    });
    const primary = await startPrimary(t, { memory });
    fill(primary, 'app.db', 3);
    const replica = startReplica(t, primary.url);
    await eventually(() => (replica.log.resumable()?.offset ?? 0) === 1024);
    primary.server.endStreams();
    await eventually(() => replica.log.fileOffsets.length === 2);
    await eventuallyEqual(primary.log, replica.log);
    assert.deepEqual(replica.log.fileOffsets, [0, 1024]);
    gate.resolve();
  });

  test('is told of databases that the primary does not have, and keeps them', async (t) => {
    const primary = await startPrimary(t);
    const memory = new MemoryLog();
    memory.append('old.db', new MemoryDatabase().commit({ pgnos: [1], fill: 1 }));
    const replica = startReplica(t, primary.url, { memory });
    await eventually(() => replica.client.status.state === 'ready');
    replica.messages.expectOne('info', /no such database/);
    assert.ok(replica.log.positions().has('old.db'));
  });

  test('gets only the databases that it asks for', async (t) => {
    const primary = await startPrimary(t);
    fill(primary, 'a.db', 2);
    fill(primary, 'b c&d.db', 2);
    const databases = new Set(['b c&d.db']);
    const replica = startReplica(t, primary.url, { databases });
    await eventually(() => replica.client.status.state === 'ready');
    assert.deepEqual([...replica.log.positions().keys()], ['b c&d.db']);
  });

  test('follows a thousand databases', async (t) => {
    const primary = await startPrimary(t);
    const databases = Array.from({ length: 1000 }, (_, index) => fill(primary, `${index}.db`, 2));
    const replica = startReplica(t, primary.url);
    await eventually(() => replica.client.status.state === 'ready');
    databases.forEach((database, index) => fill(primary, `${index}.db`, 2, database));
    await eventuallyEqual(primary.log, replica.log);
    await eventually(() => primary.log.acknowledged.size === 1000);
  });

  test('takes transactions and files of any size', async (t) => {
    const primary = await startPrimary(t);
    const database = new MemoryDatabase(65_536);
    const pgnos = Array.from({ length: 80 }, (_, index) => index + 1);
    primary.log.append('large.db', database.commit({ pgnos, fill: 1 }));
    const replica = startReplica(t, primary.url);
    await eventuallyEqual(primary.log, replica.log);
    primary.log.append('large.db', database.commit({ pgnos, fill: 2 }));
    primary.log.append('large.db', database.commit({ pgnos: [1], fill: 3 }));
    await eventuallyEqual(primary.log, replica.log);
    assert.deepEqual(replica.log.entries.at(-2)!.bytes, primary.log.entries.at(-2)!.bytes);
  });

  test('syncs once for what came while it synced', async (t) => {
    const primary = await startPrimary(t);
    const database = fill(primary, 'app.db', 1);
    const synced = Promise.withResolvers<void>();
    const syncing = Promise.withResolvers<void>();
    let isSlow = false;
    const sync = (): Promise<void> => {
      if (!isSlow) return Promise.resolve();
      syncing.resolve();
      return synced.promise;
    };
    const replica = startReplica(t, primary.url, { memory: new MemoryLog({ sync }) });
    await eventually(() => replica.client.status.state === 'ready');
    isSlow = true;
    fill(primary, 'app.db', 1, database);
    await syncing.promise;
    for (let round = 0; round < 50; round += 1) {
      fill(primary, 'app.db', 10, database);
      const { txid } = database.position;
      const received = (): bigint | undefined =>
        primary.server.replicas[0]!.positions.get('app.db')?.received;
      await eventually(() => received() === txid);
    }
    synced.resolve();
    await eventuallyEqual(primary.log, replica.log);
    // The snapshot, what was being synced, and all that came meanwhile.
    assert.deepEqual(replica.log.batches, [1, 1, 500]);
  });
});

describe('a primary', () => {
  test('says what happens to each replica in one line', async (t) => {
    const primary = await startPrimary(t);
    fill(primary, 'app.db', 2);
    const replica = startReplica(t, primary.url);
    await eventuallyEqual(primary.log, replica.log);
    await eventually(() => primary.server.replicas[0]?.isCaughtUp === true);
    await eventually(() => replica.client.status.state === 'ready');
    await replica.client.close();
    await eventually(() => primary.server.replicas.length === 0);
    const { entries } = primary.messages;
    assert.deepEqual(
      entries.map(({ level, message }) => `${level} ${message}`),
      ['info Replica connected', 'info Replica caught up', 'info Replica lost'],
    );
    assert.ok(entries.every(({ fields }) => fields['replica'] === 'node2'));
    assert.deepEqual(
      replica.messages.entries.map(({ level, message }) => `${level} ${message}`),
      ['info Connected to the primary', 'info Caught up with the primary'],
    );
    assert.equal(primary.metrics.sum('skein_stream_errors_total'), 0);
    assert.equal(primary.log.openCursors, 0);
  });

  test('waits for replicas to have what they should', async (t) => {
    const primary = await startPrimary(t);
    const database = fill(primary, 'app.db', 1);
    startReplica(t, primary.url, { hello: hello('node2') });
    startReplica(t, primary.url, { hello: hello('node3') });
    await eventually(() => primary.server.replicas.length === 2);
    fill(primary, 'app.db', 50, database);
    const txids = new Map([['app.db', database.position.txid]]);
    for (const level of ['received', 'durable', 'applied'] as const) {
      const target = { txids, level, count: 2 };
      assert.ok(await primary.server.waitForReplicas(target, AbortSignal.timeout(60_000)));
    }
    const all = { txids, level: 'durable', count: 'all' } as const;
    assert.ok(await primary.server.waitForReplicas(all, AbortSignal.timeout(60_000)));
    const three = { txids, level: 'durable', count: 3 } as const;
    assert.equal(await primary.server.waitForReplicas(three, AbortSignal.timeout(50)), false);
  });

  test('drops the earlier connection of a replica that connects again', async (t) => {
    const primary = await startPrimary(t);
    fill(primary, 'app.db', 1);
    const self = hello('node2');
    const first = startReplica(t, primary.url, { hello: self });
    await eventually(() => first.client.status.state === 'ready');
    const second = startReplica(t, primary.url, { hello: self });
    await eventually(() => second.client.status.state === 'ready');
    await first.client.close();
    await eventually(() => primary.server.replicas.length === 1);
  });

  test('ends the streams in order, and what was sent arrives', async (t) => {
    const primary = await startPrimary(t);
    const database = fill(primary, 'app.db', 1);
    const replica = startReplica(t, primary.url);
    await eventually(() => replica.client.status.state === 'ready');
    fill(primary, 'app.db', 100, database);
    const txids = new Map([['app.db', database.position.txid]]);
    const target = { txids, level: 'durable', count: 'all' } as const;
    assert.ok(await primary.server.waitForReplicas(target, AbortSignal.timeout(60_000)));
    await primary.server.close();
    await eventuallyEqual(primary.log, replica.log);
    await eventually(() => replica.client.status.state === 'connecting');
    replica.messages.expectOne('info', /Lost the primary/);
    assert.equal(replica.metrics.sum('skein_stream_errors_total', 'STREAM_TRUNCATED'), 0);
  });
});
