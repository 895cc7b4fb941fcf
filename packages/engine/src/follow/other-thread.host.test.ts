// The log is written in one thread and followed in another, on a real disk: what comes is whole and
// in order, however often files are used again under the reader.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

import { nodeDisk, systemClock } from '@skein/host';
import type { Position } from '@skein/ltx';
import { tempDir } from '@skein/testkit';

import type { LogWriterData } from '../../test/log-writer-worker.ts';
import { PublishedLog } from '../log/published-log.ts';
import { LogCatalog } from './log-catalog.ts';
import { type FollowedLog, isTrimmed } from './log-follower.ts';
import { PeerCursor } from './peer-cursor.ts';

interface Writer {
  readonly log: FollowedLog;
  /** Begins to write. */
  start(): void;
  readonly done: Promise<unknown>;
}

async function startWriter(t: TestContext, data: Omit<LogWriterData, 'folder'>): Promise<Writer> {
  const folder = join(tempDir(t), 'log');
  const script = new URL('../../test/log-writer-worker.ts', import.meta.url);
  const worker = new Worker(script, { workerData: { ...data, folder } satisfies LogWriterData });
  t.after(() => worker.terminate());
  const [memory] = (await once(worker, 'message')) as [SharedArrayBuffer];
  const log = { disk: nodeDisk, folder, published: new PublishedLog(memory) };
  const done = once(worker, 'message');
  return { log, done, start: () => worker.postMessage('start') };
}

/**
 * Follows until `count` records have come; counts what was not in the log any more. `lag`: at its
 * end it lets the writer go so many records ahead.
 */
async function followAll(log: FollowedLog, count: number, lag = 1): Promise<{ snapshots: number }> {
  let catalog = new LogCatalog(log, []);
  let cursor = new PeerCursor({ log, catalog, clock: systemClock, from: new Map() });
  const stands = new Map<string, Position>();
  let snapshots = 0;
  for (;;) {
    const seenLsn = log.published.durableLsn;
    try {
      const step = cursor.step();
      if (step.kind === 'transactions') {
        for (const { database, position } of step.transactions) stands.set(database, position);
      } else if (step.kind === 'snapshot') {
        const { position, lsn } = catalog.states.get(step.database)!;
        cursor.tookSnapshot(step.database, position, lsn);
        snapshots++;
      } else if (step.kind === 'end') {
        if (seenLsn === count) break;
        const aheadLsn = Math.min(seenLsn + lag, count);
        while (log.published.durableLsn < aheadLsn) {
          await log.published.whenDurablePast(log.published.durableLsn);
        }
      }
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      cursor.close();
      catalog.close();
      catalog = openCatalog(log, catalog);
      cursor = new PeerCursor({ log, catalog, clock: systemClock, from: cursor.positions });
    }
  }
  catalog.close();
  // While the peer followed, nobody has looked at this.
  catalog = openCatalog(log, catalog);
  catalog.refresh();
  assert.deepEqual(cursor.positions, catalog.positions);
  cursor.close();
  catalog.close();
  return { snapshots };
}

/** As the engine would tell it: for one page, the last transaction tells as much. */
function openCatalog(log: FollowedLog, { states }: LogCatalog): LogCatalog {
  for (;;) {
    try {
      return new LogCatalog(log, states);
    } catch (error) {
      // It was trimmed again at this very moment.
      if (!isTrimmed(error)) throw error;
    }
  }
}

describe('the log, from another thread', () => {
  test('is followed to its end, with everything in order', { timeout: 300_000 }, async (t) => {
    const count = 4000;
    const writer = await startWriter(t, {
      segmentBytes: 1024 * 1024,
      count,
      trimEvery: Infinity,
      bytesMax: 0,
      syncEvery: 3,
      databases: ['a.db', 'b.db', 'c.db'],
    });
    const followed = followAll(writer.log, count);
    writer.start();
    assert.deepEqual(await followed, { snapshots: 0 });
    await writer.done;
  });

  test('is never taken for what is written over it', { timeout: 300_000 }, async (t) => {
    const count = 5000;
    const writer = await startWriter(t, {
      segmentBytes: 128 * 1024,
      count,
      trimEvery: 10,
      bytesMax: 0,
      syncEvery: 50,
      databases: ['a.db'],
    });
    // However slow the disk is: the log is trimmed to less than that.
    const followed = followAll(writer.log, count, 500);
    writer.start();
    const { snapshots } = await followed;
    await writer.done;
    assert(snapshots > 1, 'The log was never trimmed under the reader');
  });

  test('wakes who waits within a moment', { timeout: 300_000 }, async (t) => {
    const writer = await startWriter(t, {
      segmentBytes: 1024 * 1024,
      count: 1,
      trimEvery: 10,
      bytesMax: 0,
      syncEvery: 1,
      databases: ['a.db'],
    });
    const waiting = writer.log.published.whenDurablePast(0);
    writer.start();
    await waiting;
    assert.equal(writer.log.published.durableLsn, 1);
    await writer.done;
  });
});
