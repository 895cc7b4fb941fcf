// The disk is full at some moment: transactions fail, readers go on, and when there is room again
// the next transaction works. Nothing of it is found after a start but what was acknowledged.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DiskError } from '@skein/host';
import { SeededRandom, SimDisk } from '@skein/testkit';

import { Actor } from './actor.ts';
import { checkChecksums, readState } from './inspect.ts';
import { rollBackHotJournal } from './rollback-client.ts';
import { equalPages } from './sample-database.ts';
import { SimNode } from './sim-node.ts';
import { equalStates, Timeline } from './timeline.ts';

const NAME = 'app.db';
const BLOCK_BYTES = 4096;

/** Leaves room for this many blocks. */
function fillUp(disk: SimDisk, blockCount: number): void {
  disk.capacityBytes = 2 ** 40;
  const { totalBytes, availableBytes } = disk.space('test', '/');
  disk.capacityBytes = totalBytes - availableBytes + blockCount * BLOCK_BYTES;
}

function tryOnFullDisk(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ENOSPC') throw error;
    return false;
  }
}

describe('a full disk', () => {
  for (const mode of ['rollback', 'wal'] as const) {
    test(`lets transactions fail and the mount live on, in ${mode} mode`, () => {
      let failureCount = 0;
      for (let seed = 0; seed < 40; seed++) {
        const random = new SeededRandom(seed);
        const disk = new SimDisk({ seed });
        const node = new SimNode({ disk, overlayBytes: 0, segmentBytes: 12 * 1024 });
        const timeline = new Timeline();
        const actor = new Actor({ node, random, timeline });
        for (let n = 0; n < 3; n++) actor.commit(NAME, actor.anyEnd());
        if (mode === 'wal') actor.switchToWal(NAME);
        for (let n = 0; n < 6; n++) {
          fillUp(disk, random.int(0, 6));
          const change = (): void => {
            if (mode === 'wal') actor.commitWal(NAME, true);
            else actor.commit(NAME, actor.anyEnd());
          };
          if (!tryOnFullDisk(change)) failureCount++;
          checkReader(actor, timeline);
          node.rest();
          disk.capacityBytes = 2 ** 40;
          change();
          checkReader(actor, timeline);
        }
        checkChecksums(node);
        const next = node.reopen(disk.powerCut(random, 'lose-all'));
        assert(equalStates(readState(next), timeline.last), `seed ${seed}`);
      }
      assert(failureCount > 20, `Only ${failureCount} transactions failed`);
    });
  }

  test('does not keep a node from starting, nor from ending', () => {
    const random = new SeededRandom(3);
    const disk = new SimDisk();
    const node = new SimNode({ disk });
    const timeline = new Timeline();
    const actor = new Actor({ node, random, timeline });
    for (let n = 0; n < 5; n++) actor.commit(NAME, 'delete');
    fillUp(disk, 0);
    node.close();
    const next = node.reopen(disk);
    assert(equalStates(readState(next), timeline.last));
    next.close();
  });
});

function checkReader(actor: Actor, timeline: Timeline): void {
  const expected = timeline.last.get(NAME)!;
  if (actor.isWal(NAME)) {
    assert(equalPages(actor.wal(NAME).pages(), expected));
    return;
  }
  const client = actor.client(NAME);
  rollBackHotJournal(client);
  assert(equalPages(client.pages(), expected));
}
