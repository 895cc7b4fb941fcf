import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { pageChecksum } from '@skein/ltx';
import { POWER_CUT_MODES, SeededRandom, SimDisk } from '@skein/testkit';

import { PageChecksums } from './page-checksums.ts';

const PATH = '/checksums';
const PAGE = 512;
const COUNT = 1200;

const page = (pgno: number): Uint8Array => new Uint8Array(PAGE).fill(pgno);

interface Setup {
  readonly sums: PageChecksums;
  /** First and last page of the blocks that were computed anew. */
  readonly rebuilt: number[][];
}

function open(disk: SimDisk, pageSize: number = PAGE): Setup {
  const rebuilt: number[][] = [];
  const sums = new PageChecksums({
    disk,
    path: PATH,
    mode: 'open-or-create',
    pageSize,
    readPage: (pgno, into) => {
      if (pgno <= COUNT) into.set(page(pgno));
      return pgno <= COUNT;
    },
    onRebuild: (first, last) => rebuilt.push([first, last]),
  });
  return { sums, rebuilt };
}

function check({ sums }: Setup): void {
  for (let pgno = 1; pgno <= COUNT; pgno++) {
    const expected = pageChecksum(pgno, page(pgno));
    assert.equal((BigInt(sums.hi(pgno)) << 32n) | BigInt(sums.lo(pgno)), expected, `page ${pgno}`);
  }
  assert.equal(sums.hi(COUNT + 1), 0);
}

describe('PageChecksums', () => {
  test('are computed from the pages where there are none, and then kept', () => {
    const disk = new SimDisk();
    const first = open(disk);
    check(first);
    assert.deepEqual(first.rebuilt, [
      [1, 511],
      [512, 1022],
      [1023, COUNT],
    ]);
    first.sums.flush();
    const second = open(disk);
    check(second);
    assert.deepEqual(second.rebuilt, []);
  });

  test('are those that were set', () => {
    const { sums } = open(new SimDisk());
    sums.set(511, 0x8000_0001, 7);
    sums.set(512, 0x8000_0002, 8);
    sums.set(513, 0, 0);
    assert.deepEqual([sums.hi(511), sums.lo(511)], [0x8000_0001, 7]);
    assert.deepEqual([sums.hi(512), sums.lo(512)], [0x8000_0002, 8]);
    assert.deepEqual([sums.hi(513), sums.lo(513)], [0, 0]);
  });

  test('are computed anew where a block is damaged or torn', () => {
    const disk = new SimDisk();
    const first = open(disk);
    check(first);
    first.sums.flush();
    const file = disk.open('test', PATH, 'update');
    file.write('test', Uint8Array.of(1), 0, 1, 4096 + 40);
    const second = open(disk);
    check(second);
    assert.deepEqual(second.rebuilt, [[1, 511]]);
    for (const mode of POWER_CUT_MODES) {
      for (let seed = 0; seed < 20; seed++) {
        check(open(disk.powerCut(new SeededRandom(seed), mode)));
      }
    }
  });

  test('of another page size, or another place, are not taken', () => {
    const disk = new SimDisk();
    const first = open(disk);
    check(first);
    first.sums.flush();
    const file = disk.open('test', PATH, 'update');
    const block = new Uint8Array(4096);
    file.read('test', block, 0, 4096, 4096);
    file.write('test', block, 0, 4096, 8192);
    const second = open(disk);
    check(second);
    assert.deepEqual(second.rebuilt, [[512, 1022]]);
    open(disk, 1024);
    assert.equal(file.size('test'), 4096, 'The file is begun anew');
  });
});
