import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ContentPiece, Pending } from '@skein/engine';
import { SimDisk } from '@skein/testkit';

import { createClientMemory } from './client-memory.ts';

const NAME = 'app.db-shm';
const BYTES = 32_768;
/** A page of the hash table, and the first copy of the header. */
const RANGES = [
  { offset: 16_384, length: 4096 },
  { offset: 0, length: 48 },
];

/** A wal-index that the kernel has, and what it is told, which it does when the test says so. */
function fixture(): {
  readonly disk: SimDisk;
  readonly stored: Array<readonly number[]>;
  readonly read: (offset: number) => number;
  readonly change: () => Pending | undefined;
  readonly doNext: () => void;
} {
  const disk = new SimDisk({ seed: 1 });
  const file = disk.open('test', `/${NAME}`, 'create');
  file.write('test', new Uint8Array(BYTES), 0, BYTES, 0);
  const stored: Array<readonly number[]> = [];
  const queue: Array<() => void> = [];
  const store = (_name: string, pieces: readonly ContentPiece[], done?: () => void): void => {
    queue.push(() => {
      stored.push(pieces.map(({ offset }) => offset));
      done?.();
    });
  };
  const memory = createClientMemory({ store }, () => false);
  return {
    disk,
    stored,
    read: (offset) => {
      const byte = new Uint8Array(1);
      file.read('test', byte, 0, 1, offset);
      return byte[0]!;
    },
    change: () => {
      const mapping = memory.map(NAME, file, BYTES);
      mapping.bytes.fill(7);
      return mapping.publishRanges(RANGES);
    },
    doNext: () => queue.shift()!(),
  };
}

describe('the memory of clients without passthrough', () => {
  test('has a header in the file only when the kernel has what that speaks of', () => {
    const { stored, read, change, doNext } = fixture();
    const published = change();
    assert.deepEqual([read(16_384), read(0)], [7, 0]);
    doNext();
    assert.deepEqual([stored, read(0)], [[[16_384]], 7]);
    assert.equal(published?.isSettled, false);
    doNext();
    assert.deepEqual(stored, [[16_384], [0]]);
    assert.equal(published?.isSettled, true);
  });

  test('says what failed, in the middle too', () => {
    for (const n of [1, 2]) {
      const { disk, change, doNext } = fixture();
      disk.failAt({ n, op: 'shm.write', error: 'EIO' });
      if (n === 1) {
        assert.throws(change, { code: 'EIO' });
      } else {
        const published = change();
        doNext();
        assert.equal((published?.error as { code?: string } | undefined)?.code, 'EIO');
      }
    }
  });
});
