import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Disk, DiskFile } from '@skein/host';
import { RecordingLog, SeededRandom, SimBackgroundIo, SimClock, SimDisk } from '@skein/testkit';

import { OnePage } from '../../test/one-page.ts';
import { type LogContent, TransactionLog, type TrimLimits } from '../log/transaction-log.ts';
import { recoverLog } from '../recovery/log-recovery.ts';
import { type FollowedLog, LogFollower } from './log-follower.ts';

const FOLDER = '/log';
const NEW_LOG: LogContent = {
  segments: [],
  next: { offset: 4096, lsn: 1, link: 0n },
  lastSequence: 0,
};
const TRIM_ALL: Omit<TrimLimits, 'coveredLsn'> = {
  beforeMs: Infinity,
  bytesMax: 0,
  keepsPinned: false,
};

interface Setup {
  readonly disk: SimDisk;
  readonly background: SimBackgroundIo;
  readonly log: TransactionLog;
  readonly followed: FollowedLog;
}

/** Three transactions of one page to a segment. */
function setUp(disk: SimDisk = new SimDisk(), content: LogContent = NEW_LOG): Setup {
  disk.makeDirectory('test', FOLDER);
  disk.syncDirectory('test', '/');
  const background = new SimBackgroundIo();
  const messages = new RecordingLog();
  const clock = new SimClock();
  const options = { disk, background, clock, log: messages, folder: FOLDER, segmentBytes: 20_000 };
  const log = new TransactionLog(options, content);
  return { disk, background, log, followed: { disk, folder: FOLDER, published: log.published } };
}

function trimAll({ log, background }: Setup): void {
  log.trim({ ...TRIM_ALL, coveredLsn: log.durableLsn });
  background.runBackground();
}

/** What can be read now: LSN and TXID of each record. */
function readAll(follower: LogFollower): [lsn: number, txid: number][] {
  const found: [number, number][] = [];
  do {
    follower.begin();
    for (let header = follower.peek(); header !== undefined; header = follower.peek()) {
      const entry = header.entries[0]!;
      const bytes = follower.view(entry);
      if (bytes === undefined) break;
      const txid = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(16);
      assert.equal(txid, entry.maxTxid);
      found.push([header.lsn, Number(txid)]);
      follower.pass();
    }
    follower.assertKept();
  } while (follower.isFull);
  return found;
}

function range(from: number, to: number): [number, number][] {
  return Array.from({ length: to - from + 1 }, (_, n) => [from + n, from + n]);
}

/** Calls `act` after the n-th read of a record from now on, before the reader has the bytes. */
function whenRead(disk: Disk, n: number, act: () => void): Disk {
  let count = 0;
  const watch = (file: DiskFile): DiskFile =>
    new Proxy(file, {
      get: (target, key) => {
        if (key !== 'read') {
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return (...args: Parameters<DiskFile['read']>) => {
          if (args[0] === 'log.read' || args[0] === 'follow.read') {
            if (++count === n) act();
          }
          return target.read(...args);
        };
      },
    });
  return new Proxy(disk, {
    get: (target, key) => {
      const value = Reflect.get(target, key, target) as (...args: unknown[]) => unknown;
      if (key === 'open')
        return (...args: unknown[]) => watch(value.apply(target, args) as DiskFile);
      return value.bind(target);
    },
  });
}

describe('LogFollower', () => {
  test('gives out what is durable, and nothing else, across segments', () => {
    const { log, followed } = setUp();
    const database = new OnePage('app.db');
    const follower = new LogFollower(followed, 1);
    let seen = 0;
    for (let n = 1; n <= 40; n++) {
      log.append(1, [database.next()]);
      if (n % 3 === 0) log.sync();
      const found = readAll(follower);
      assert.deepEqual(found, range(seen + 1, log.durableLsn));
      seen = log.durableLsn;
    }
    assert(log.segments.length > 10, 'There are too few segments');
  });

  test('begins in the middle of a log, where it is told', () => {
    const { log, followed } = setUp();
    const database = new OnePage('app.db');
    for (let n = 1; n <= 9; n++) log.append(1, [database.next()]);
    log.sync();
    for (const { header, index } of log.segments) {
      for (let n = 0; n < index.recordCount; n++) {
        const lsn = header.firstLsn + n;
        const place = { lsn, sequence: header.sequence, offset: index.offsetOf(n) };
        assert.deepEqual(readAll(new LogFollower(followed, place)), range(lsn, 9));
      }
    }
  });

  test('says that the log was trimmed, whatever has become of the file', () => {
    const setup = setUp();
    const { log, followed } = setup;
    const database = new OnePage('app.db');
    const follower = new LogFollower(followed, 1);
    for (let n = 1; n <= 2; n++) log.append(1, [database.next()]);
    log.sync();
    assert.deepEqual(readAll(follower), range(1, 2));
    for (let n = 3; n <= 30; n++) {
      log.append(1, [database.next()]);
      log.sync();
      if (n % 5 === 0) trimAll(setup);
    }
    assert.throws(() => readAll(follower), { code: 'LOG_TRIMMED' });
    const { firstLsn } = log.published;
    assert.deepEqual(readAll(new LogFollower(followed, firstLsn)), range(firstLsn, 30));
    assert.throws(() => readAll(new LogFollower(followed, 1)), { code: 'LOG_TRIMMED' });
  });

  test('never gives out what was written over a record while it was read', () => {
    let trims = 0;
    for (let n = 1; n <= 4; n++) {
      const setup = setUp();
      const { log, followed } = setup;
      const database = new OnePage('app.db');
      const append = (count: number): void => {
        for (let k = 0; k < count; k++) {
          log.append(1, [database.next()]);
          log.sync();
        }
      };
      append(8);
      const disk = whenRead(followed.disk, n, () => {
        // The file is used again, and again, with other records at the same places.
        for (let k = 0; k < 4; k++) {
          trimAll(setup);
          append(7);
        }
      });
      try {
        // All is as it was appended, or nothing.
        assert.deepEqual(readAll(new LogFollower({ ...followed, disk }, 1)), range(1, 8));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'LOG_TRIMMED', `read ${n}`);
        trims++;
      }
    }
    assert.equal(trims, 3, 'Each segment is read once, and nothing a fourth time');
  });

  test('passes over what a power cut has torn behind the last record of a segment', () => {
    const before = setUp();
    const database = new OnePage('app.db');
    before.log.append(1, [database.next()]);
    before.log.sync();
    const torn = before.log.append(1, [new OnePage('lost.db').next()]);
    assert.equal(torn, 2);
    // The header has come to the disk, not all of the pages.
    const { path, index } = before.log.segments[0]!;
    const disk = before.disk.powerCut(new SeededRandom(1), 'keep-all');
    const file = disk.open('test', path, 'update');
    file.write('test', new Uint8Array(1000).fill(0xaa), 0, 1000, index.offsetOf(1) + 1000);
    file.close();
    const options = { disk, folder: FOLDER, knownLsn: 0, isNeeded: () => true, onRecord: () => {} };
    const after = setUp(disk, recoverLog(options));
    assert.equal(after.log.lastLsn, 1);
    // Too large for what is left of the segment: the torn record stays where it is.
    const large = { ...new OnePage('large.db').next(), ltxBytes: 30_000 };
    const write: typeof large.write = (sink) => sink(new Uint8Array(30_000), 0, 30_000);
    // Nor is it hidden by the index, which only saves time.
    disk.failAt({ n: 1, op: 'log.segment.index', error: 'EIO', when: 'before' });
    after.log.append(1, [{ ...large, write }]);
    after.log.sync();
    assert.deepEqual(disk.unusedFaults, []);
    const follower = new LogFollower(after.followed, 1);
    follower.begin();
    assert.equal(follower.peek()?.entries[0]?.database, 'app.db');
    follower.pass();
    assert.equal(follower.peek()?.entries[0]?.database, 'large.db');
  });

  test('says which durable record is damaged', () => {
    const { log, followed, disk } = setUp();
    const database = new OnePage('app.db');
    for (let n = 1; n <= 3; n++) log.append(1, [database.next()]);
    log.sync();
    const { path, index } = log.segments[0]!;
    const file = disk.open('test', path, 'update');
    file.write('test', new Uint8Array(8), 0, 8, index.offsetOf(1) + 8);
    file.close();
    assert.throws(() => readAll(new LogFollower(followed, 1)), {
      name: 'DamageError',
      place: { file: 'log/0000000000000001.ltxs', lsn: 2 },
    });
  });

  test('leaves no file open', () => {
    const { log, followed, disk } = setUp();
    const database = new OnePage('app.db');
    const follower = new LogFollower(followed, 1);
    for (let n = 1; n <= 20; n++) log.append(1, [database.next()]);
    log.sync();
    readAll(follower);
    log.close();
    assert.equal(disk.openFiles().length, 2, 'The spare, which is being filled, and the reader');
    follower.close();
    assert.equal(disk.openFiles().length, 1);
  });
});
