import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RecordingLog, SeededRandom, SimDisk } from '@skein/testkit';
import * as fc from 'fast-check';

import { Database } from '../database/database.ts';
import { NO_STATE } from '../database/database-state.ts';
import { PageStore } from '../pages/page-store.ts';
import { SlabPool } from '../pages/slab-pool.ts';
import { Overlay } from './overlay.ts';

const PAGE = 512;

interface Setup {
  readonly overlay: Overlay;
  /** What the committed database holds. */
  readonly committed: Uint8Array;
}

function setUp(pageCount: number): Setup {
  const disk = new SimDisk();
  const database = new Database(
    { disk, log: new RecordingLog() },
    { name: 'app.db', folder: '/dbs/app.db' },
    { ...NO_STATE, pageSize: PAGE, pageCount },
  );
  database.openFile();
  const committed = new SeededRandom(1).bytes(pageCount * PAGE);
  if (pageCount > 0) database.writeFile(1, committed, 0, committed.length);
  const pool = new SlabPool(0);
  const pages = new PageStore({ disk, pool, scratchPath: '/overlay' });
  return { overlay: new Overlay(database, pages), committed };
}

const piece = fc.record({
  position: fc.nat(6 * PAGE),
  length: fc.integer({ min: 1, max: 3 * PAGE }),
  byte: fc.integer({ min: 1, max: 255 }),
});

const change = fc.oneof(
  { weight: 3, arbitrary: piece },
  fc.nat(7).map((n) => n * PAGE),
);

describe('Overlay', () => {
  test('is the file as its client sees it', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.array(change), (pageCount, changes) => {
        const { overlay, committed } = setUp(pageCount);
        let model = Uint8Array.from(committed);
        overlay.begin(PAGE);
        for (const each of changes) {
          if (typeof each === 'number') {
            overlay.truncate(each);
            model = resized(model, each);
          } else {
            const { position, length, byte } = each;
            overlay.write(new Uint8Array(length).fill(byte), 0, length, position);
            model = resized(model, Math.max(model.length, position + length));
            model.fill(byte, position, position + length);
          }
        }
        assert.equal(overlay.sizeBytes, model.length);
        const into = new Uint8Array(model.length);
        into.set(committed.subarray(0, model.length));
        if (model.length > 0) overlay.patch(into, 0, model.length, 0);
        assert.deepEqual(into, model);
        checkSource(overlay, committed, model);
        overlay.clear();
        assert.equal(overlay.isActive, false);
        assert.equal(overlay.pages().length, 0);
      }),
    );
  });
});

/** What a commit makes of it: pages that were written, pages that were kept, and zeros. */
function checkSource(overlay: Overlay, committed: Uint8Array, model: Uint8Array): void {
  const buffer = new Uint8Array(PAGE);
  for (let start = 0; start + PAGE <= model.length; start += PAGE) {
    const pgno = start / PAGE + 1;
    const kept =
      pgno <= overlay.keptPageCount ? committed.subarray(start, start + PAGE) : undefined;
    const page = overlay.view(pgno, buffer) ?? kept ?? new Uint8Array(PAGE);
    assert.deepEqual(page, model.subarray(start, start + PAGE), `page ${pgno}`);
  }
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(sizeBytes);
  result.set(bytes.subarray(0, sizeBytes));
  return result;
}
