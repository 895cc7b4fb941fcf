import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import { SimNode } from '../../test/sim-node.ts';
import { Timeline } from '../../test/timeline.ts';
import { PublishedLog } from './published-log.ts';

describe('PublishedLog', () => {
  test('says the same on both sides', () => {
    const own = new PublishedLog();
    const other = new PublishedLog(own.memory);
    own.publishDurable(2 ** 53 - 1);
    own.publishFirst(2 ** 33 + 1);
    own.publishTail(7);
    own.publishLast(8);
    own.publishEpoch(3);
    other.hold(12, 5);
    assert.equal(other.durableLsn, 2 ** 53 - 1);
    assert.equal(other.firstLsn, 2 ** 33 + 1);
    assert.equal(other.tailSequence, 7);
    assert.equal(other.lastLsn, 8);
    assert.equal(other.epoch, 3);
    assert.deepEqual([own.neededLsn, own.pinnedLsn], [12, 5]);
  });

  test('never goes back', () => {
    const published = new PublishedLog();
    published.publishDurable(5);
    published.publishFirst(5);
    published.publishTail(5);
    published.publishLast(5);
    published.publishEpoch(5);
    const code = 'ASSERTION_FAILED';
    assert.throws(() => published.publishDurable(4), { code });
    assert.throws(() => published.publishFirst(4), { code });
    assert.throws(() => published.publishTail(4), { code });
    assert.throws(() => published.publishLast(4), { code });
    assert.throws(() => published.publishEpoch(4), { code });
    assert.throws(() => published.hold(-1, 0), { code });
  });

  test('is waited for until more is durable, or somebody wakes the waiters', async () => {
    const published = new PublishedLog();
    await published.whenDurablePast(3);
    const waiting = published.whenDurablePast(0);
    published.publishDurable(1);
    await waiting;
    const woken = published.whenDurablePast(1);
    published.wake();
    await woken;
  });

  test('brings what nobody waits for to the disk at once when somebody follows', () => {
    const node = new SimNode();
    const timeline = new Timeline();
    const actor = new Actor({ node, random: new SeededRandom(1), timeline });
    actor.commit('app.db', 'delete');
    actor.switchToWal('app.db');
    const { log } = node.engine;
    const msUntilSynced = (): number => {
      actor.commitWal('app.db', false);
      assert(log.durableLsn < log.lastLsn, 'It was synced with the commit');
      const startMs = node.clock.monotonicMs();
      while (log.durableLsn < log.lastLsn) node.pass(1);
      return node.clock.monotonicMs() - startMs;
    };
    assert.equal(msUntilSynced(), 50);
    log.published.hold(1, 0);
    assert.equal(msUntilSynced(), 1);
  });
});
