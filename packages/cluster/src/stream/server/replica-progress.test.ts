import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Position, toChecksum, toTxid } from '@skein/ltx';

import { DATABASE_COUNT_MAX } from '../../wire/limits.ts';
import { ProgressWaiters, ReplicaProgress, type ReplicaTarget } from './replica-progress.ts';

function at(txid: number): Position {
  return { txid: toTxid(txid), checksum: toChecksum(0x8000000000000001n) };
}

function target(fields: Partial<ReplicaTarget> = {}): ReplicaTarget {
  return { txids: new Map([['a', toTxid(5)]]), level: 'durable', count: 1, ...fields };
}

describe('ReplicaProgress', () => {
  test('tells what is received, durable and applied apart', () => {
    const replica = new ReplicaProgress(new Map([['a', at(3)]]));
    assert.ok(replica.has('a', toTxid(3), 'applied'));
    replica.update({ database: 'a', received: toTxid(6), durable: at(5), applied: at(4) });
    const reached = (['received', 'durable', 'applied'] as const).map((level) =>
      [4, 5, 6, 7].filter((txid) => replica.has('a', toTxid(txid), level)),
    );
    assert.deepEqual(reached, [[4, 5, 6], [4, 5], [4]]);
  });

  test('has nothing of a database that it was never told of', () => {
    const replica = new ReplicaProgress(new Map());
    assert.ok(replica.has('a', toTxid(0), 'durable'));
    assert.ok(!replica.has('a', toTxid(1), 'durable'));
  });

  test('takes no more databases than there can be', () => {
    const names = Array.from({ length: DATABASE_COUNT_MAX }, (_, index) => String(index));
    const replica = new ReplicaProgress(new Map(names.map((name) => [name, at(1)])));
    const progress = { received: toTxid(2), durable: at(2), applied: at(2) };
    replica.update({ database: '0', ...progress });
    assert.throws(() => replica.update({ database: 'a', ...progress }), {
      code: 'STREAM_MALFORMED',
    });
  });
});

describe('ProgressWaiters', () => {
  const never = new AbortController().signal;

  test('wake who waits when enough replicas are there, and not before', async () => {
    const replicas = [new ReplicaProgress(new Map()), new ReplicaProgress(new Map())];
    const waiters = new ProgressWaiters();
    let isDone = false;
    const done = waiters
      .wait(target({ count: 2 }), () => replicas, never)
      .then((isReached) => {
        isDone = true;
        return isReached;
      });
    for (const replica of replicas) {
      assert.equal(isDone, false);
      replica.update({ database: 'a', received: toTxid(5), durable: at(5), applied: at(0) });
      waiters.notify(replicas);
      await Promise.resolve();
      await Promise.resolve();
    }
    assert.equal(await done, true);
  });

  test('do not wait for a replica that is gone, if all that are there are enough', async () => {
    const there = new ReplicaProgress(new Map([['a', at(5)]]));
    const behind = new ReplicaProgress(new Map());
    const waiters = new ProgressWaiters();
    const done = waiters.wait(target({ count: 'all' }), () => [there, behind], never);
    waiters.notify([there]);
    assert.equal(await done, true);
  });

  test('give up at the signal', async () => {
    const abort = new AbortController();
    const waiters = new ProgressWaiters();
    const done = waiters.wait(target(), () => [], abort.signal);
    abort.abort();
    assert.equal(await done, false);
    assert.equal(await waiters.wait(target(), () => [], abort.signal), false);
  });
});
