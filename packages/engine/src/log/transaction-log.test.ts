import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  POWER_CUT_MODES,
  RecordingLog,
  SeededRandom,
  SimBackgroundIo,
  SimClock,
  SimDisk,
} from '@skein/testkit';

import { recoverLog } from '../recovery/log-recovery.ts';
import { besidePath, type LogEntry, TransactionLog, type TrimLimits } from './transaction-log.ts';

const FOLDER = '/log';
const SEGMENT_BYTES = 8192;
const CLOSED = { segments: [], next: { offset: 4096, lsn: 1, link: 0n }, lastSequence: 0 };

interface Setup {
  readonly disk: SimDisk;
  readonly background: SimBackgroundIo;
  readonly clock: SimClock;
  readonly log: TransactionLog;
}

function setUp(disk: SimDisk = new SimDisk()): Setup {
  disk.makeDirectory('test', FOLDER);
  disk.syncDirectory('test', '/');
  const background = new SimBackgroundIo();
  const clock = new SimClock();
  const log = new TransactionLog(
    {
      disk,
      background,
      clock,
      log: new RecordingLog(),
      folder: FOLDER,
      segmentBytes: SEGMENT_BYTES,
    },
    CLOSED,
  );
  return { disk, background, clock, log };
}

/** No LTX file: the log does not look into what it keeps. */
function entry(database: string, txid: number, ltxBytes: number): LogEntry {
  const id = BigInt(txid);
  const write: LogEntry['write'] = (sink) => {
    const bytes = new Uint8Array(ltxBytes).fill(txid);
    sink(bytes, 0, 100);
    sink(bytes, 100, ltxBytes);
  };
  return { database, ltxBytes, minTxid: id, maxTxid: id, besideId: undefined, write };
}

/** LSNs of the records that a start finds on a disk. */
function recover(disk: SimDisk): { lsns: number[]; sequences: number[] } {
  const lsns: number[] = [];
  const content = recoverLog({
    disk,
    folder: FOLDER,
    knownLsn: 0,
    // Nobody looks into the LTX files.
    isNeeded: () => false,
    onRecord: () => {},
  });
  for (const { header, index } of content.segments) {
    for (let n = 0; n < index.recordCount; n++) lsns.push(header.firstLsn + n);
  }
  return { lsns, sequences: content.segments.map(({ header }) => header.sequence) };
}

/** Without a limit of size. */
function limits(coveredLsn: number, beforeMs: number): TrimLimits {
  return { coveredLsn, beforeMs, bytesMax: Infinity, keepsPinned: true };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

describe('TransactionLog', () => {
  test('keeps what was synced through any power cut, and of the rest the first records', () => {
    const { disk, log, background } = setUp();
    for (let n = 1; n <= 20; n++) {
      log.append(1, [entry('app.db', n, 700)]);
      if (n % 3 === 0) log.sync();
      background.runBackground();
      for (const mode of POWER_CUT_MODES) {
        const { lsns } = recover(disk.powerCut(new SeededRandom(n), mode));
        assert.deepEqual(lsns, range(1, lsns.length), `${mode} after ${n}`);
        assert(lsns.length >= log.durableLsn && lsns.length <= n, `${mode} after ${n}`);
      }
    }
    assert(log.segments.length > 1, 'There was only one segment');
  });

  test('starts a segment of its own for a record that is larger than one', () => {
    const { disk, log } = setUp();
    for (const bytes of [500, 30_000, 500]) log.append(1, [entry('app.db', 1, bytes)]);
    log.sync();
    assert.deepEqual(recover(disk).sequences, [1, 2, 3]);
  });

  test('leaves nothing behind of an append that failed, wherever it did', () => {
    for (const when of ['before', 'midway', 'after'] as const) {
      const { disk, log } = setUp();
      log.append(1, [entry('app.db', 1, 700)]);
      disk.failAt({ n: 1, op: 'log.append', error: 'ENOSPC', when });
      assert.throws(() => log.append(1, [entry('app.db', 2, 700)]), { code: 'ENOSPC' });
      assert.equal(log.lastLsn, 1);
      log.sync();
      assert.deepEqual(recover(disk).lsns, [1], when);
      assert.equal(log.append(1, [entry('app.db', 2, 300)]), 2);
      log.sync();
      assert.deepEqual(recover(disk).lsns, [1, 2], when);
    }
  });

  test('goes on when a segment could not be made, with nothing lost', () => {
    const { disk, log, background } = setUp();
    background.runBackground();
    for (let n = 1; log.segments.length < 2; n++) {
      if (log.lastLsn > 0 && log.segments[0]!.end > SEGMENT_BYTES - 900) {
        disk.failAt({ n: 1, op: 'log.segment.header', error: 'ENOSPC' });
        assert.throws(() => log.append(1, [entry('app.db', n, 900)]), { code: 'ENOSPC' });
      }
      log.append(1, [entry('app.db', n, 700)]);
    }
    log.sync();
    assert.deepEqual(disk.unusedFaults, []);
    assert.deepEqual(recover(disk).lsns, range(1, log.lastLsn));
  });

  test('accepts nothing after a sync that failed', () => {
    const { disk, log } = setUp();
    log.append(1, [entry('app.db', 1, 100)]);
    disk.failAt({ n: 1, op: 'log.sync', error: 'EIO' });
    assert.throws(() => log.sync(), { code: 'LOG_FAILED' });
    assert.throws(() => log.sync(), { code: 'LOG_FAILED' });
    assert.throws(() => log.append(1, [entry('app.db', 2, 100)]), { code: 'LOG_FAILED' });
    assert.equal(log.durableLsn, 0);
  });

  test('reports a sync in the background when it is done, and what it was for', () => {
    const { log, background } = setUp();
    background.runBackground();
    log.append(1, [entry('app.db', 1, 100)]);
    let isDone = false;
    log.syncInBackground(() => {
      isDone = true;
    });
    log.append(1, [entry('app.db', 2, 100)]);
    assert.equal(log.durableLsn, 0);
    background.runBackground();
    assert.equal(isDone, true);
    assert.equal(log.durableLsn, 1);
  });

  test('goes on in a prepared segment as soon as there is one', () => {
    const { disk, log, background } = setUp();
    // Nothing is prepared when a node makes its first record.
    log.append(1, [entry('app.db', 1, 100)]);
    log.append(1, [entry('app.db', 2, 100)]);
    assert.equal(log.segments.length, 1);
    background.runBackground();
    for (let n = 3; n <= 6; n++) {
      log.append(1, [entry('app.db', n, 100)]);
      background.runBackground();
    }
    assert.deepEqual(
      log.segments.map(({ header, preparedBytes }) => [
        header.firstLsn,
        preparedBytes === SEGMENT_BYTES,
      ]),
      [
        [1, false],
        [3, true],
      ],
    );
    log.sync();
    assert.deepEqual(recover(disk).lsns, range(1, 6));
  });

  test('begins in what an earlier run has prepared, unless that is not whole', () => {
    const { disk, background } = setUp();
    background.runBackground();
    const prepared = (): boolean => {
      const { log } = setUp(disk.powerCut(new SeededRandom(1), 'keep-all'));
      log.append(1, [entry('app.db', 1, 100)]);
      return log.segments[0]!.preparedBytes === SEGMENT_BYTES;
    };
    assert.equal(prepared(), true);
    const spare = disk.open('test', `${FOLDER}/spare`, 'update');
    spare.truncate('test', SEGMENT_BYTES / 2);
    spare.close();
    assert.equal(prepared(), false);
  });

  test('trims whole segments that are covered and old enough, and uses their files again', () => {
    const { disk, log, background, clock } = setUp();
    for (let n = 1; n <= 30; n++) {
      log.append(1, [entry('app.db', n, 900)]);
      clock.advance(1000);
      background.runBackground();
    }
    log.sync();
    const before = log.segments.map(({ header }) => header.firstLsn);
    log.trim(limits(0, Infinity));
    assert.equal(log.segments.length, before.length, 'Nothing is covered');
    log.trim(limits(30, clock.wallMs() - 1_000_000));
    assert.equal(log.segments.length, before.length, 'Nothing is old enough');
    log.trim(limits(before[2]!, Infinity));
    assert.deepEqual(
      log.segments.map(({ header }) => header.firstLsn),
      before.slice(2),
    );
    assert.deepEqual(recover(disk.powerCut(new SeededRandom(1), 'lose-all')).lsns.at(-1), 30);
    log.trim(limits(30, Infinity));
    assert.equal(log.segments.length, 1, 'The last one stays');
    for (let n = 31; n <= 60; n++) log.append(1, [entry('app.db', n, 900)]);
    log.sync();
    const { lsns } = recover(disk);
    assert.deepEqual(lsns, range(lsns[0]!, 60));
    const recycled = disk.operations.filter(({ op }) => op === 'log.spare.recycle');
    assert(recycled.length <= 1);
  });

  test('keeps what a follower needs, up to a size, and what a snapshot needs beyond that', () => {
    const { disk, log, background, clock } = setUp();
    const largeId = 7n;
    const large = disk.open('test', besidePath(FOLDER, largeId), 'create');
    large.write('test', new Uint8Array(100_000), 0, 100_000, 0);
    large.close();
    for (let n = 1; n <= 30; n++) {
      const besideId = n === 20 ? largeId : undefined;
      log.append(1, [{ ...entry('app.db', n, n === 20 ? 100_000 : 700), besideId }]);
      log.sync();
      background.runBackground();
    }
    const firsts = log.segments.map(({ header }) => header.firstLsn);
    assert(firsts.length >= 3, 'There are too few segments');
    const trim = (bytesMax: number, keepsPinned = true): number => {
      log.trim({ coveredLsn: 30, beforeMs: clock.wallMs() + 1, bytesMax, keepsPinned });
      assert.equal(log.segments[0]!.header.firstLsn, log.published.firstLsn);
      return log.published.firstLsn;
    };
    log.published.hold(firsts[1]!, 0);
    assert.equal(trim(Infinity), firsts[1]);
    assert.equal(trim(160_000), firsts[1]);
    log.published.hold(firsts[1]!, firsts[1]!);
    // The file beside the log counts.
    assert.equal(trim(90_000), firsts[1]);
    assert.equal(trim(90_000, false), firsts[firsts.findLastIndex((lsn) => lsn <= 20) + 1]);
    log.published.hold(0, 0);
    assert.equal(trim(Infinity), firsts.at(-1));
  });

  test('keeps no more than it may, however young it is', () => {
    const { log, background } = setUp();
    for (let n = 1; n <= 40; n++) log.append(1, [entry('app.db', n, 700)]);
    log.sync();
    background.runBackground();
    const count = log.segments.length;
    const bytesMax = 2 * SEGMENT_BYTES;
    log.trim({ coveredLsn: 40, beforeMs: 0, bytesMax: count * SEGMENT_BYTES, keepsPinned: true });
    assert.equal(log.segments.length, count);
    log.trim({ coveredLsn: 40, beforeMs: 0, bytesMax, keepsPinned: true });
    assert.equal(log.segments.length, 2);
    log.trim({ coveredLsn: 0, beforeMs: 0, bytesMax: 0, keepsPinned: true });
    assert.equal(log.segments.length, 2, 'What the node needs to start is kept');
  });

  test('trims what is old enough although a clock was ahead once', () => {
    const { log, background, clock } = setUp();
    const nowMs = clock.wallMs();
    const ahead = 1_000_000;
    clock.jumpWall(ahead);
    for (let n = 1; n <= 15; n++) {
      log.append(1, [entry('app.db', n, 900)]);
      background.runBackground();
    }
    clock.jumpWall(-ahead);
    for (let n = 16; n <= 30; n++) {
      log.append(1, [entry('app.db', n, 900)]);
      background.runBackground();
    }
    log.sync();
    log.trim(limits(30, nowMs));
    assert.ok(log.segments.length > 1, 'Nothing is old enough');
    log.trim(limits(30, nowMs + 1));
    assert.equal(log.segments.length, 1);
  });

  test('does not miss a segment in the middle when one cannot be removed', () => {
    const { disk, log, background } = setUp();
    for (let n = 1; n <= 30; n++) {
      log.append(1, [entry('app.db', n, 900)]);
      background.runBackground();
    }
    log.sync();
    disk.failAt({ n: 1, op: 'log.trim', error: 'EIO' });
    assert.throws(() => log.trim(limits(30, Infinity)), { code: 'EIO' });
    recover(disk.powerCut(new SeededRandom(1), 'keep-all'));
    log.trim(limits(30, Infinity));
    assert.deepEqual(recover(disk).lsns.at(-1), 30);
  });

  test('names files of large transactions, and removes them with what names them', () => {
    const { disk, log, background } = setUp();
    const beside = besidePath(FOLDER, 5n);
    for (const path of [beside, besidePath(FOLDER, 6n)]) disk.open('test', path, 'create').close();
    log.append(1, [{ ...entry('app.db', 1, 5000), besideId: 5n }]);
    for (let n = 2; n <= 12; n++) log.append(1, [entry('app.db', n, 900)]);
    log.sync();
    recover(disk);
    assert.deepEqual(
      disk.list('test', FOLDER).filter((name) => name.endsWith('.ltx')),
      ['0000000000000005.ltx'],
      'The other one is named by nobody',
    );
    log.trim(limits(12, Infinity));
    background.runBackground();
    assert.equal(disk.stat('test', beside), undefined);
  });

  test('continues no remnants of an earlier life of a file', () => {
    const { disk, log } = setUp();
    for (let n = 1; n <= 5; n++) log.append(1, [entry('app.db', n, 400)]);
    const file = log.segments[0]!;
    // As after a crash that lost record 2, of which the following ones survived.
    log.close();
    const lost = disk.open('test', file.path, 'update');
    lost.write('test', new Uint8Array(8), 0, 8, file.index.offsetOf(1));
    lost.close();
    const content = recoverLog({
      disk,
      folder: FOLDER,
      knownLsn: 0,
      isNeeded: () => false,
      onRecord: () => {},
    });
    assert.equal(content.next.lsn, 2);
    const background = new SimBackgroundIo();
    const again = new TransactionLog(
      {
        disk,
        background,
        clock: new SimClock(),
        log: new RecordingLog(),
        folder: FOLDER,
        segmentBytes: SEGMENT_BYTES,
      },
      content,
    );
    // Of the same size: the old record 3 stands right behind it.
    again.append(1, [entry('other', 2, 400)]);
    again.sync();
    assert.deepEqual(recover(disk).lsns, [1, 2]);
  });
});
