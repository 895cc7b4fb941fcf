import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SimDisk } from '@skein/testkit';
import * as fc from 'fast-check';

import { PageStore } from './page-store.ts';
import { SLAB_BYTES, SlabPool } from './slab-pool.ts';

const PATH = '/store';

const change = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      pgno: fc.integer({ min: 1, max: 12 }),
      byte: fc.integer({ min: 0, max: 255 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant('clear' as const) },
);

describe('PageStore', () => {
  test('holds what was written last, in memory and past its end', () => {
    const slabs = fc.integer({ min: 0, max: 3 });
    const pageSize = fc.constantFrom(512, 16_384, 65_536);
    fc.assert(
      fc.property(slabs, pageSize, fc.array(change), (slabCount, bytes, changes) => {
        const disk = new SimDisk();
        const pool = new SlabPool(slabCount * SLAB_BYTES);
        const store = new PageStore({ disk, pool, scratchPath: PATH });
        const model = new Map<number, number>();
        const page = new Uint8Array(bytes + 3);
        for (const each of changes) {
          if (each === 'clear') {
            store.clear();
            model.clear();
          } else {
            page.fill(each.byte, 3);
            store.write(each.pgno, page, 3, bytes);
            model.set(each.pgno, each.byte);
          }
        }
        assert.equal(store.size, model.size);
        assert.deepEqual(
          [...store.pages()],
          [...model.keys()].sort((a, b) => a - b),
        );
        const buffer = new Uint8Array(bytes);
        for (let pgno = 1; pgno <= 12; pgno++) {
          const byte = model.get(pgno);
          assert.equal(store.has(pgno), byte !== undefined);
          assert.equal(store.read(pgno, buffer, 0), byte !== undefined);
          const view = store.view(pgno, new Uint8Array(bytes));
          const expected = byte === undefined ? undefined : new Uint8Array(bytes).fill(byte);
          assert.deepEqual(view, expected);
          if (byte !== undefined) assert.deepEqual(buffer, expected);
        }
        store.clear();
        assert.deepEqual(disk.openFiles(), []);
        for (let n = 0; n < slabCount; n++) assert(pool.tryTake() !== undefined, 'A slab is lost');
      }),
    );
  });

  test('is as it was when a page does not fit on the disk', () => {
    const disk = new SimDisk({ capacityBytes: 8192 });
    const store = new PageStore({ disk, pool: new SlabPool(0), scratchPath: PATH });
    const page = new Uint8Array(4096).fill(1);
    store.write(7, page, 0, 4096);
    store.write(8, page, 0, 4096);
    assert.throws(() => store.write(9, page, 0, 4096), { code: 'ENOSPC' });
    assert.deepEqual([...store.pages()], [7, 8]);
    disk.capacityBytes = undefined;
    store.write(9, page.fill(9), 0, 4096);
    assert.deepEqual(store.view(9, new Uint8Array(4096)), page);
  });
});
