import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';
import * as fc from 'fast-check';

import { type DatabaseState, NO_STATE } from './database-state.ts';
import { WalFrames } from './wal-frames.ts';

function stateOf(lsn: number): DatabaseState {
  return { ...NO_STATE, lsn };
}

/** Frames of random pages, each with a checksum of its own, in transactions of one to four. */
function sampleFrames(seed: number, count: number): { frames: WalFrames; pgnos: number[] } {
  const random = new SeededRandom(seed);
  const frames = new WalFrames();
  const pgnos: number[] = [];
  while (pgnos.length < count) {
    for (let left = random.int(1, 4); left > 0; left--) {
      pgnos.push(random.int(1, 12));
      frames.add(pgnos.at(-1)!, 1, pgnos.length);
    }
    frames.addCommit(stateOf(pgnos.length));
  }
  return { frames, pgnos };
}

describe('WalFrames', () => {
  test('finds the frame of a page at any moment, and of any version', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 700 }), (seed, count) => {
        const { frames, pgnos } = sampleFrames(seed, count);
        assert.deepEqual([...frames.pagesFrom(1)], pgnos);
        for (let pgno = 1; pgno <= 13; pgno++) {
          for (const last of [0, 1, count >> 1, pgnos.length]) {
            const expected = pgnos.slice(0, last).lastIndexOf(pgno) + 1;
            assert.equal(frames.findAtOrBefore(pgno, last), expected);
          }
        }
        for (const [n, pgno] of pgnos.entries()) {
          assert.equal(frames.findVersion(pgno, 1, n + 1), n + 1);
          assert.equal(frames.findVersion(pgno + 1, 1, n + 1), 0);
        }
      }),
    );
  });

  test('knows the last transaction that is all in the database file', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, count) => {
        const { frames, pgnos } = sampleFrames(seed, count);
        const random = new SeededRandom(seed + 1);
        const versions = new Map<number, number>();
        while (!frames.isBackfilled) {
          const frame = random.int(1, pgnos.length);
          if (frames.isDone(frame)) continue;
          frames.markDone(frame);
          const pgno = pgnos[frame - 1]!;
          versions.set(pgno, Math.max(versions.get(pgno) ?? 0, frame));
          const complete = frames.lastDoneCommit()?.frame ?? 0;
          // Every page of a frame up to there is in the file, in that version or a later one.
          for (let f = 1; f <= complete; f++) assert(versions.get(pgnos[f - 1]!)! >= f);
        }
        assert.equal(frames.lastDoneCommit()?.frame, pgnos.length);
        assert.deepEqual([...frames.pending()], []);
      }),
    );
  });

  test('asks for the newest frame of each page that is not in the file', () => {
    const frames = new WalFrames();
    for (const [n, pgno] of [3, 1, 3, 2].entries()) frames.add(pgno, 1, n);
    frames.markDone(2);
    frames.markDone(1);
    assert.deepEqual(
      [...frames.pending()],
      [
        { pgno: 2, frame: 4 },
        { pgno: 3, frame: 3 },
      ],
    );
    frames.markLost(3, 9);
    assert.deepEqual([...frames.pending()], [{ pgno: 2, frame: 4 }]);
  });

  test('forgets commit points, never the last, when there are very many', () => {
    const frames = new WalFrames();
    for (let n = 1; n <= 20_000; n++) {
      frames.add(1 + (n % 50), 1, n);
      frames.addCommit(stateOf(n));
    }
    assert.equal(frames.lastDoneCommit(), undefined);
    for (const { frame } of frames.pending()) frames.markDone(frame);
    assert.equal(frames.lastDoneCommit()?.state.lsn, 20_000);
  });
});
