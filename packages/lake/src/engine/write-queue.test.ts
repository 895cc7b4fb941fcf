import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatPosition, parsePosition } from './position-token.ts';
import { parseChanges } from './snapshot-changes.ts';
import { WriteQueue } from './write-queue.ts';

test('WriteQueue runs one after the other, in order, also after a failure', async () => {
  const queue = new WriteQueue(10);
  const order: string[] = [];
  const work = (name: string): Promise<void> =>
    queue.run(async () => {
      order.push(`begin ${name}`);
      await Promise.resolve();
      if (name === 'b') throw new Error('b');
      order.push(`end ${name}`);
    });
  const all = [work('a'), work('b'), work('c')];
  await assert.rejects(all[1]!, /b/);
  await Promise.all([all[0], all[2]]);
  assert.deepEqual(order, ['begin a', 'end a', 'begin b', 'begin c', 'end c']);
});

test('WriteQueue refuses when too many wait, and lets go of who stops waiting', async () => {
  const queue = new WriteQueue(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = queue.run(() => promise);
  const controller = new AbortController();
  const second = queue.run(async () => undefined, controller.signal);
  await assert.rejects(
    queue.run(async () => undefined),
    { kind: 'busy' },
  );
  controller.abort();
  await assert.rejects(second, { kind: 'cancelled' });
  const third = queue.run(async () => 3);
  resolve();
  await first;
  assert.equal(await third, 3);
});

test('positions are given back as they were, and nothing else is one', () => {
  for (const token of ['7', '7.2.1234', '0.0.0']) {
    assert.equal(formatPosition(parsePosition(token)), token);
  }
  for (const token of ['', '-1', '7.2', '7.2.', '7 2 3', '1e3', '99999999999999999999']) {
    assert.throws(() => parsePosition(token), { code: 'LAKE_POSITION' }, token);
  }
});

test('parseChanges() reads what the extension writes', () => {
  assert.deepEqual(parseChanges('created_table:"s""x"."t,1",inserted_into_table:7'), {
    tableIds: [7n],
    created: ['s"x.t,1'],
    isOther: true,
  });
  assert.deepEqual(parseChanges('inlined_insert:3,deleted_from_table:4'), {
    tableIds: [3n, 4n],
    created: [],
    isOther: false,
  });
  assert.equal(parseChanges('dropped_table:3').isOther, true);
  assert.deepEqual(parseChanges(''), { tableIds: [], created: [], isOther: false });
});

test('WriteQueue runs what follows before all who wait, also when they are many', async () => {
  const queue = new WriteQueue(1);
  const order: string[] = [];
  const first = queue.run(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    queue.follow(async () => void order.push('followed'));
    order.push('first');
  });
  const second = queue.run(async () => void order.push('second'));
  await Promise.all([first, second]);
  await queue.run(async () => void order.push('third'));
  assert.deepEqual(order, ['first', 'followed', 'second', 'third']);
});
