import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import { equalPages, type Pages } from '../../test/sample-database.ts';
import { SimNode } from '../../test/sim-node.ts';
import { Timeline } from '../../test/timeline.ts';
import { runToEnd } from '../jobs/jobs.ts';
import type { Snapshot } from './snapshot.ts';

const NAME = 'app.db';

interface Setup {
  readonly node: SimNode;
  readonly actor: Actor;
  readonly timeline: Timeline;
}

function setUp(seed: number, overlayBytes: number): Setup {
  const node = new SimNode({ overlayBytes });
  const timeline = new Timeline();
  const actor = new Actor({ node, random: new SeededRandom(seed), timeline });
  actor.commit(NAME, 'delete');
  for (let n = 0; n < 4; n++) actor.commit(NAME, 'truncate');
  return { node, actor, timeline };
}

function take({ node }: Setup): Snapshot {
  return runToEnd(node.engine.takeSnapshot(NAME));
}

/** Reads to the end, with `meanwhile` before each page. */
function readAll(snapshot: Snapshot, meanwhile: () => void): Pages {
  const pages: Uint8Array[] = [];
  for (;;) {
    meanwhile();
    const page = new Uint8Array(snapshot.pageSize);
    if (!snapshot.readPage(page, 0)) return pages;
    pages.push(page);
  }
}

describe('Snapshot', () => {
  test('shows one moment while transactions in a rollback mode go on', () => {
    for (let seed = 0; seed < 30; seed++) {
      const setup = setUp(seed, seed % 2 === 0 ? 0 : 64 * 1024);
      const { actor, timeline, node } = setup;
      const expected = timeline.last.get(NAME)!;
      const snapshot = take(setup);
      const found = readAll(snapshot, () => {
        if (actor.random.bool(0.6)) actor.commit(NAME, actor.anyEnd());
        if (actor.random.bool(0.1)) actor.copyIn(NAME);
      });
      assert(equalPages(found, expected), `seed ${seed}`);
      snapshot.close();
      node.close();
      assert.deepEqual(node.disk.openFiles(), []);
    }
  });

  test('shows one moment while a WAL grows, is copied, begins anew, and goes away', () => {
    for (let seed = 0; seed < 60; seed++) {
      const setup = setUp(seed, 64 * 1024);
      const { actor, timeline } = setup;
      actor.switchToWal(NAME);
      for (let n = 0; n < seed % 5; n++) actor.commitWal(NAME, true);
      if (seed % 3 === 0) actor.wal(NAME).checkpoint(2);
      const expected = timeline.last.get(NAME)!;
      const snapshot = take(setup);
      const found = readAll(snapshot, () => {
        if (actor.random.bool(0.2) && actor.isWal(NAME)) actor.switchToRollback(NAME);
        if (!actor.isWal(NAME)) return actor.commit(NAME, 'delete');
        actor.random.pick([
          () => actor.commitWal(NAME, actor.random.bool()),
          () => actor.commitWal(NAME, true),
          () => actor.wal(NAME).checkpoint(actor.random.int(1, 20)),
          () => actor.wal(NAME).checkpoint(),
          () => actor.wal(NAME).checkpointTruncate(),
        ])();
      });
      assert(equalPages(found, expected), `seed ${seed}`);
      snapshot.close();
    }
  });

  test('ends when its database is dropped', () => {
    const setup = setUp(1, 0);
    const snapshot = take(setup);
    setup.actor.drop(NAME);
    const page = new Uint8Array(512);
    assert.throws(() => snapshot.readPage(page, 0), { code: 'DATABASE_NOT_FOUND' });
    snapshot.close();
    assert.throws(() => take(setup), { code: 'DATABASE_NOT_FOUND' });
  });

  test('cannot be taken of a database whose file lacks what is committed', () => {
    const setup = setUp(1, 0);
    setup.node.disk.failAt({ n: 1, op: 'database.write', error: 'EIO' });
    setup.actor.commit(NAME, 'delete');
    assert.throws(() => take(setup), { code: 'DATABASE_BROKEN' });
    // Until the next start clients see the transaction all the same.
    assert(equalPages(setup.actor.client(NAME).pages(), setup.timeline.last.get(NAME)));
  });
});
