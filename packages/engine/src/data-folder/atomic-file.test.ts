import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { crashPoints, POWER_CUT_MODES, PowerCut, SeededRandom, SimDisk } from '@skein/testkit';

import { readAtomicFile, writeAtomicFile } from './atomic-file.ts';

const FOLDER = '/dbs/app.db';
const PATH = `${FOLDER}/x.json`;

function setUp(): SimDisk {
  const disk = new SimDisk();
  disk.makeDirectory('test', FOLDER);
  for (const folder of ['/', '/dbs']) disk.syncDirectory('test', folder);
  return disk;
}

describe('writeAtomicFile()', () => {
  test('leaves the old value or the new one, and the new one when it has returned', () => {
    const probe = setUp();
    writeAtomicFile(probe, 'x', PATH, { n: 1 });
    const start = probe.operations.length;
    writeAtomicFile(probe, 'x', PATH, { n: 2 });
    const points = crashPoints(probe.operations).filter(({ n }) => n > start);
    assert(points.length > 6);
    for (const stop of points) {
      const disk = setUp();
      writeAtomicFile(disk, 'x', PATH, { n: 1 });
      disk.stopAt({ ...stop, n: stop.n - start });
      assert.throws(() => writeAtomicFile(disk, 'x', PATH, { n: 2 }), PowerCut);
      for (const mode of POWER_CUT_MODES) {
        const found = readAtomicFile(disk.powerCut(new SeededRandom(stop.n), mode), 'x', PATH);
        const { n } = found as { n: number };
        assert(n === 1 || n === 2, `${JSON.stringify(stop)} ${mode}: ${String(found)}`);
      }
    }
    const after = probe.powerCut(new SeededRandom(1), 'lose-all');
    assert.deepEqual(readAtomicFile(after, 'x', PATH), { n: 2 });
  });

  test('tells what is missing from what is damaged, whatever byte it is', () => {
    const disk = setUp();
    assert.equal(readAtomicFile(disk, 'x', PATH), 'missing');
    writeAtomicFile(disk, 'x', PATH, { name: 'äpp', n: 17 });
    const file = disk.open('test', PATH, 'update');
    const bytes = new Uint8Array(file.size('test'));
    file.read('test', bytes, 0, bytes.length, 0);
    for (let at = 0; at < bytes.length; at++) {
      file.write('test', Uint8Array.of(bytes[at]! ^ 4), 0, 1, at);
      assert.equal(readAtomicFile(disk, 'x', PATH), 'damaged', `byte ${at}`);
      file.write('test', bytes, at, 1, at);
    }
    file.truncate('test', bytes.length - 1);
    assert.equal(readAtomicFile(disk, 'x', PATH), 'damaged');
  });
});
