import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '../seeded-random.ts';
import { SimClock } from '../sim-clock.ts';
import { crashPoints, PowerCut } from './faults.ts';
import { SimBackgroundIo } from './sim-background-io.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimFile } from './sim-file.ts';

const PAGE = 4096;
const SEEDS = Array.from({ length: 200 }, (_value, seed) => seed);

describe('powerCut()', () => {
  test('tears a page at its sectors, often', () => {
    const { disk, file } = pageOf(1);
    write(file, PAGE, 2);
    const outcomes = SEEDS.map((seed) => {
      const found = readPage(disk.powerCut(new SeededRandom(seed)));
      const sectors = Array.from({ length: 8 }, (_value, index) => found[index * 512]!);
      sectors.forEach((value, index) => {
        assert.ok(found.subarray(index * 512, (index + 1) * 512).every((byte) => byte === value));
      });
      return new Set(sectors).size === 2 ? 'torn' : sectors[0] === 1 ? 'old' : 'new';
    });
    for (const outcome of ['torn', 'old', 'new']) {
      const share = outcomes.filter((found) => found === outcome).length / SEEDS.length;
      assert.ok(share > 0.15, `${outcome}: ${share}`);
    }
  });

  test('loses a synced file whose name was not synced, in some cuts', () => {
    const disk = new SimDisk();
    const file = disk.open('test.open', '/a', 'create');
    file.sync('test.sync');
    const isFound = SEEDS.map((seed) => disk.powerCut(new SeededRandom(seed)).list('t', '/'));
    assert.deepEqual(new Set(isFound.map(String)), new Set(['', 'a']));
  });

  test('loses a tree below a folder whose name was not synced', () => {
    const disk = new SimDisk();
    disk.makeDirectory('test.mkdir', '/a/b');
    disk.open('test.open', '/a/b/c', 'create').close();
    disk.syncDirectory('test.sync', '/a/b');
    disk.syncDirectory('test.sync', '/a');
    assert.deepEqual(disk.powerCut(new SeededRandom(1), 'lose-all').list('test.list', '/'), []);
    disk.syncDirectory('test.sync', '/');
    const found = disk.powerCut(new SeededRandom(1), 'lose-all');
    assert.deepEqual(found.list('test.list', '/a/b'), ['c']);
  });

  test('brings a removed tree back, whole or in part', () => {
    const disk = new SimDisk();
    disk.makeDirectory('test.mkdir', '/tree');
    for (const name of ['a', 'b']) disk.open('test.open', `/tree/${name}`, 'create').close();
    disk.syncDirectory('test.sync', '/tree');
    disk.syncDirectory('test.sync', '/');
    disk.removeDirectory('test.rmdir', '/tree');
    const outcomes = SEEDS.map((seed) => {
      const found = disk.powerCut(new SeededRandom(seed));
      return found.stat('t', '/tree') === undefined ? 'gone' : found.list('t', '/tree').join('');
    });
    assert.deepEqual(new Set(outcomes), new Set(['gone', 'ab', 'b', '']));
  });

  test('replaces by rename atomically: the old file or the new one, never none', () => {
    const { disk } = pageOf(1);
    const fresh = disk.open('test.open', '/fresh', 'create');
    write(fresh, PAGE, 2);
    fresh.sync('test.sync');
    disk.rename('test.rename', '/fresh', '/page');
    const outcomes = SEEDS.map((seed) => readPage(disk.powerCut(new SeededRandom(seed)))[0]);
    assert.deepEqual(new Set(outcomes), new Set([1, 2]));
  });

  test('moves between folders atomically, also when one side is synced', () => {
    const disk = new SimDisk();
    for (const folder of ['/from', '/to']) disk.makeDirectory('test.mkdir', folder);
    disk.open('test.open', '/from/a', 'create').close();
    for (const folder of ['/', '/from']) disk.syncDirectory('test.sync', folder);
    disk.rename('test.rename', '/from/a', '/to/a');
    const places = (seed: number): string => {
      const found = disk.powerCut(new SeededRandom(seed));
      return ['/from', '/to'].map((folder) => found.list('t', folder).join()).join('|');
    };
    assert.deepEqual(new Set(SEEDS.map(places)), new Set(['a|', '|a']));
    disk.syncDirectory('test.sync', '/from');
    assert.deepEqual(new Set(SEEDS.map(places)), new Set(['|a']));
  });

  test('undoes a move whose folder lost an earlier move', () => {
    const disk = new SimDisk();
    for (const folder of ['/a', '/b', '/c']) disk.makeDirectory('test.mkdir', folder);
    for (const path of ['/a/1', '/c/2']) disk.open('test.open', path, 'create').close();
    for (const folder of ['/', '/a', '/c']) disk.syncDirectory('test.sync', folder);
    disk.rename('test.rename', '/c/2', '/b/2');
    disk.rename('test.rename', '/a/1', '/c/1');
    const outcomes = SEEDS.map((seed) => {
      const found = disk.powerCut(new SeededRandom(seed));
      return ['/a', '/b', '/c'].map((folder) => found.list('t', folder).join()).join('|');
    });
    assert.deepEqual(new Set(outcomes), new Set(['1||2', '1|2|', '|2|1']));
  });

  test('in prefix mode keeps the order across files', () => {
    const disk = new SimDisk();
    const files = ['/a', '/b'].map((path) => disk.open('test.open', path, 'create'));
    disk.syncDirectory('test.sync', '/');
    for (let value = 1; value <= 20; value += 1) write(files[value % 2]!, 512, value);
    const outcomes = SEEDS.map((seed) => {
      const found = disk.powerCut(new SeededRandom(seed), 'prefix');
      const [a = 0, b = 0] = ['/a', '/b'].map((path) => readPage(found, path)[0]);
      assert.ok(Math.abs(a - b) <= 1, `${a} and ${b}`);
      return Math.max(a, b);
    });
    assert.ok(new Set(outcomes).size > 15, 'cuts at most of the moments');
  });

  test('costs little for files of many gigabytes', () => {
    const disk = new SimDisk();
    const file = disk.open('test.open', '/huge', 'create');
    disk.syncDirectory('test.sync', '/');
    const background = new SimBackgroundIo();
    background.fill('test.fill', file, { from: 0, to: 2 ** 29 }, () => {});
    background.runBackground();
    write(file, PAGE, 3, 2 ** 42);
    const found = disk.powerCut(new SeededRandom(1), 'keep-all').stat('test.stat', '/huge');
    assert.equal(found?.sizeBytes, 2 ** 42 + PAGE);
    const usedBytes = disk.space('t', '/').totalBytes - disk.space('t', '/').availableBytes;
    assert.equal(usedBytes, 2 ** 29 + PAGE);
  });
});

describe('failAt()', () => {
  test('fails the n-th operation that matches, as often as asked', () => {
    const { disk, file } = pageOf(1);
    disk.failAt({ op: 'log.append', n: 2, times: 2, error: 'EIO' });
    const buffer = new Uint8Array(1);
    const outcomes = [1, 2, 3, 4].map(() =>
      outcomeOf(() => file.write('log.append', buffer, 0, 1, 0)),
    );
    file.write('other', buffer, 0, 1, 0);
    assert.deepEqual(outcomes, ['ok', 'EIO', 'EIO', 'ok']);
    assert.deepEqual(disk.unusedFaults, []);
  });

  test('matches by kind and path too, and tells which faults did not happen', () => {
    const { disk, file } = pageOf(1);
    disk.failAt({ kind: 'sync', path: '/page', n: 1, error: 'EIO' });
    disk.failAt({ kind: 'sync', path: '/other', n: 1, error: 'EIO' });
    assert.equal(
      outcomeOf(() => write(file, 1, 1)),
      'ok',
    );
    assert.equal(
      outcomeOf(() => file.sync('test.sync')),
      'EIO',
    );
    assert.deepEqual(
      disk.unusedFaults.map((fault) => fault.path),
      ['/other'],
    );
    disk.clearFaults();
    assert.deepEqual(disk.unusedFaults, []);
  });

  test('before, midway and after differ in what was written', () => {
    const lengths = (['before', 'midway', 'after'] as const).map((when) => {
      const { disk, file } = pageOf(1);
      disk.failAt({ kind: 'write', n: 1, error: 'EIO', when });
      assert.equal(
        outcomeOf(() => write(file, 1000, 2)),
        'EIO',
      );
      return readPage(disk).filter((byte) => byte === 2).length;
    });
    assert.deepEqual(lengths, [0, 500, 1000]);
  });

  test('a failed rename has happened only if the failure came after', () => {
    for (const when of ['before', 'after'] as const) {
      const { disk } = pageOf(1);
      disk.failAt({ kind: 'rename', n: 1, error: 'EIO', when });
      assert.equal(
        outcomeOf(() => disk.rename('test.rename', '/page', '/moved')),
        'EIO',
      );
      assert.deepEqual(disk.list('test.list', '/'), [when === 'before' ? 'page' : 'moved']);
    }
  });

  test('what a failed sync lost is still read, not reported again, gone after a crash', () => {
    const { disk, file } = pageOf(1);
    write(file, PAGE, 2);
    disk.failAt({ kind: 'sync', n: 1, error: 'EIO' });
    assert.equal(
      outcomeOf(() => file.sync('test.sync')),
      'EIO',
    );
    assert.equal(
      outcomeOf(() => file.sync('test.sync')),
      'ok',
    );
    assert.equal(readPage(disk)[0], 2);
    for (const seed of SEEDS) {
      assert.equal(readPage(disk.powerCut(new SeededRandom(seed)))[0], 1);
    }
    // What is written afterwards is synced as ever.
    write(file, 512, 3);
    file.sync('test.sync');
    const found = readPage(disk.powerCut(new SeededRandom(1)));
    assert.deepEqual([found[0], found[512]], [3, 1]);
  });

  test('a sync that fails midway leaves torn pages for good', () => {
    const outcomes = SEEDS.map((seed) => {
      const { disk, file } = pageOf(1, seed);
      write(file, PAGE, 2);
      disk.failAt({ kind: 'sync', n: 1, error: 'EIO', when: 'midway' });
      assert.equal(
        outcomeOf(() => file.sync('test.sync')),
        'EIO',
      );
      file.sync('test.sync');
      return new Set(readPage(disk.powerCut(new SeededRandom(seed), 'lose-all'))).size;
    });
    assert.deepEqual(new Set(outcomes), new Set([1, 2]));
  });

  test('a move into a folder whose sync failed cannot become durable from the other side', () => {
    const disk = new SimDisk();
    for (const folder of ['/from', '/to']) disk.makeDirectory('test.mkdir', folder);
    disk.open('test.open', '/from/a', 'create').close();
    for (const folder of ['/', '/from']) disk.syncDirectory('test.sync', folder);
    disk.failAt({ kind: 'sync-directory', n: 1, error: 'EIO' });
    assert.equal(
      outcomeOf(() => disk.syncDirectory('test.sync', '/to')),
      'EIO',
    );
    disk.rename('test.rename', '/from/a', '/to/a');
    disk.syncDirectory('test.sync', '/from');
    const found = disk.powerCut(new SeededRandom(1), 'lose-all');
    assert.deepEqual([found.list('t', '/from'), found.list('t', '/to')], [['a'], []]);
  });

  test('after a failed sync of a folder its names never become durable', () => {
    const { disk } = pageOf(1);
    disk.failAt({ kind: 'sync-directory', n: 1, error: 'EIO' });
    disk.remove('test.remove', '/page');
    assert.equal(
      outcomeOf(() => disk.syncDirectory('test.sync', '/')),
      'EIO',
    );
    assert.equal(
      outcomeOf(() => disk.syncDirectory('test.sync', '/')),
      'ok',
    );
    assert.deepEqual(disk.list('test.list', '/'), []);
    assert.deepEqual(disk.powerCut(new SeededRandom(1), 'lose-all').list('t', '/'), ['page']);
  });
});

describe('stopAt()', () => {
  test('stops at operations by name too', () => {
    const { disk, file } = pageOf(1);
    disk.stopAt({ op: 'log.sync', n: 1, when: 'before' });
    file.sync('other.sync');
    assert.throws(() => file.sync('log.sync'), {
      code: 'POWER_CUT',
      message: 'The power went out at sync (log.sync) of /page',
    });
    assert.throws(() => file.close(), PowerCut);
  });

  test('stops before or after the n-th operation, and everything after it', () => {
    const workload = (disk: SimDisk): void => {
      const file = disk.open('work.open', '/a', 'create');
      write(file, 1, 1);
      file.sync('work.sync');
      disk.syncDirectory('work.sync', '/');
      file.close();
    };
    const complete = new SimDisk();
    workload(complete);
    assert.deepEqual(
      complete.operations.map(({ kind }) => kind),
      ['open', 'write', 'sync', 'sync-directory', 'close'],
    );
    const points = crashPoints(complete.operations);
    // Nobody can tell a crash at the close from one before it.
    assert.equal(points.length, 8);
    for (const point of points) {
      const disk = new SimDisk();
      disk.stopAt(point);
      assert.throws(() => workload(disk), PowerCut);
      assert.throws(() => disk.list('test.list', '/'), PowerCut);
      const isDurable = point.n === 4 && point.when === 'after';
      const found = disk.powerCut(new SeededRandom(1), 'lose-all').list('t', '/');
      assert.deepEqual(found, isDurable ? ['a'] : [], JSON.stringify(point));
    }
  });
});

describe('capacity', () => {
  test('a write past it writes what fits, then reports ENOSPC', () => {
    const disk = new SimDisk({ capacityBytes: 2 * PAGE });
    const file = disk.open('test.open', '/page', 'create');
    assert.equal(
      outcomeOf(() => write(file, 3 * PAGE, 1, 100)),
      'ENOSPC',
    );
    assert.equal(file.size('test.size'), 2 * PAGE);
    assert.equal(disk.space('test.space', '/').availableBytes, 0);
    // What is allocated can be written again.
    assert.equal(
      outcomeOf(() => write(file, 2 * PAGE, 2)),
      'ok',
    );
    assert.equal(
      outcomeOf(() => write(file, 1, 2, 2 * PAGE)),
      'ENOSPC',
    );
    disk.capacityBytes = 3 * PAGE;
    assert.equal(
      outcomeOf(() => write(file, 1, 2, 2 * PAGE)),
      'ok',
    );
  });

  test('a write that finds no room at all changes nothing', () => {
    const disk = new SimDisk({ capacityBytes: PAGE });
    const file = disk.open('test.open', '/page', 'create');
    assert.equal(
      outcomeOf(() => write(file, PAGE, 1, 10 * PAGE)),
      'ok',
    );
    assert.equal(
      outcomeOf(() => write(file, 10, 1, 5)),
      'ENOSPC',
    );
    assert.equal(readPage(disk)[5], 0);
    assert.equal(file.size('test.size'), 11 * PAGE);
  });

  test('comes back when a file is cut, and when a removed one is closed', () => {
    const disk = new SimDisk({ capacityBytes: 4 * PAGE });
    const available = (): number => disk.space('test.space', '/').availableBytes / PAGE;
    const file = disk.open('test.open', '/page', 'create');
    write(file, 4 * PAGE, 1);
    file.truncate('test.truncate', PAGE);
    assert.equal(available(), 3);
    disk.remove('test.remove', '/page');
    assert.equal(available(), 3);
    file.close();
    assert.equal(available(), 4);
  });
});

describe('SimBackgroundIo', () => {
  test('a crash can fall between a request and its completion', () => {
    const { disk, file } = pageOf(1);
    const background = new SimBackgroundIo();
    write(file, PAGE, 2);
    background.sync('test.sync', file, () => assert.fail('reported'));
    assert.equal(readPage(disk.powerCut(new SeededRandom(1), 'lose-all'))[0], 1);
    disk.stopAt({ kind: 'sync', n: 1, when: 'after' });
    assert.throws(() => background.runBackground(), PowerCut);
    assert.equal(readPage(disk.powerCut(new SeededRandom(1), 'lose-all'))[0], 2);
  });

  test('a sync covers what was written before its request and no more', () => {
    const { disk, file } = pageOf(1);
    const background = new SimBackgroundIo();
    write(file, 512, 2, 0);
    background.sync('test.sync', file, () => {});
    write(file, 512, 3, 512);
    background.runBackground();
    const found = readPage(disk.powerCut(new SeededRandom(1), 'lose-all'));
    assert.deepEqual([found[0], found[512]], [2, 1]);
  });

  test('runs as many jobs as asked', () => {
    const { file } = pageOf(1);
    const background = new SimBackgroundIo();
    for (let job = 0; job < 3; job += 1) background.sync('test.sync', file, () => {});
    background.runBackground(2);
    assert.equal(background.waitingCount, 1);
  });

  test('a fill that meets the end of the disk reports it', () => {
    const disk = new SimDisk({ capacityBytes: 2 * 1024 * 1024 });
    const file = disk.open('test.open', '/page', 'create');
    const background = new SimBackgroundIo();
    const codes: unknown[] = [];
    background.fill('test.fill', file, { from: 0, to: 2 ** 30 }, (error) => {
      codes.push((error as Error & { code: string }).code);
    });
    background.runBackground();
    assert.deepEqual(codes, ['ENOSPC']);
    assert.equal(file.size('test.size'), 2 * 1024 * 1024);
  });
});

describe('SimDisk', () => {
  test('tells which files are open', () => {
    const disk = new SimDisk();
    const [b, a] = ['/b', '/a'].map((path) => disk.open('test.open', path, 'create'));
    assert.deepEqual(disk.openFiles(), ['/a', '/b']);
    a!.close();
    b!.close();
    assert.deepEqual(disk.openFiles(), []);
  });

  test('refuses to close a file that background jobs still use', () => {
    const { file } = pageOf(1);
    const background = new SimBackgroundIo();
    background.sync('test.sync', file, () => {});
    assert.throws(() => file.close(), /background jobs/);
    background.runBackground();
    file.close();
  });

  test('does not notice when a caller reuses its buffer', () => {
    const { disk, file } = pageOf(1);
    const buffer = new Uint8Array(PAGE).fill(2);
    file.write('test.write', buffer, 0, PAGE, 0);
    buffer.fill(9);
    assert.equal(readPage(disk)[0], 2);
    assert.equal(readPage(disk.powerCut(new SeededRandom(1), 'keep-all'))[0], 2);
  });

  test('refuses paths that the real disk would take for others', () => {
    const disk = new SimDisk();
    assert.throws(() => disk.open('test.open', 'relative', 'create'), /absolute/);
    assert.throws(() => disk.open('test.open', '/a/../b', 'create'), /\.\./);
  });

  test('dates files by the clock it is given', () => {
    const clock = new SimClock();
    const disk = new SimDisk({ clock });
    const file = disk.open('test.open', '/a', 'create');
    clock.advance(5000);
    write(file, 1, 1);
    assert.equal(disk.stat('test.stat', '/a')?.modifiedMs, clock.wallMs());
    const found = disk.powerCut(new SeededRandom(1), 'keep-all');
    assert.equal(found.stat('test.stat', '/a')?.modifiedMs, clock.wallMs());
  });
});

/** A disk with one synced page in one synced file. */
function pageOf(value: number, seed = 0): { disk: SimDisk; file: SimFile } {
  const disk = new SimDisk({ seed });
  const file = disk.open('test.open', '/page', 'create');
  disk.syncDirectory('test.setup', '/');
  write(file, PAGE, value);
  file.sync('test.setup');
  return { disk, file };
}

function write(file: SimFile, length: number, value: number, position = 0): void {
  file.write('test.write', new Uint8Array(length).fill(value), 0, length, position);
}

function readPage(disk: SimDisk, path = '/page'): Uint8Array {
  const file = disk.open('test.open', path, 'read');
  const bytes = new Uint8Array(Math.min(PAGE, file.size('test.size')));
  file.read('test.read', bytes, 0, bytes.length, 0);
  file.close();
  return bytes;
}

function outcomeOf(call: () => void): string {
  try {
    call();
    return 'ok';
  } catch (error) {
    return (error as Error & { code: string }).code;
  }
}
