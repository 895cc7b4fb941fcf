import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { bytesSource } from '@skein/bytes';

import { samplePage, sampleWal } from './sample-files.ts';
import { updateWalChecksum } from './wal-checksum.ts';
import { WalChain, walFrameAt, walFrameOffset } from './wal-frame.ts';
import type { WalHeader } from './wal-header.ts';
import { readWalFrames } from './wal-reader.ts';

const HEADER: WalHeader = {
  bigEndianChecksums: false,
  pageSize: 512,
  checkpointSequence: 0,
  salt1: 0x1234_5678,
  salt2: 0x9abc_def0,
};
const BIG_ENDIAN: WalHeader = { ...HEADER, bigEndianChecksums: true };
const FRAME_SIZE = 24 + 512;

const PAGES = [
  { pgno: 1 },
  { pgno: 2, commit: 2 },
  { pgno: 3 },
  { pgno: 1 },
  { pgno: 0xffff_fffe, commit: 0xffff_ffff },
];

interface FrameSummary {
  readonly frame: number;
  readonly pgno: number;
  readonly commit: number;
}

function framesOf(bytes: Uint8Array, header: WalHeader = HEADER): FrameSummary[] {
  const frames = readWalFrames(bytesSource(bytes), new WalChain(header));
  return Array.from(frames, ({ frame, pgno, commit }) => ({ frame, pgno, commit }));
}

const ALL_FRAMES: readonly FrameSummary[] = PAGES.map(({ pgno, commit = 0 }, i) => {
  return { frame: i + 1, pgno, commit };
});

describe('readWalFrames()', () => {
  for (const header of [HEADER, BIG_ENDIAN]) {
    const order = header.bigEndianChecksums ? 'big-endian' : 'little-endian';

    test(`yields all frames of a sound WAL with ${order} checksums`, () => {
      const wal = sampleWal(header, PAGES);
      assert.deepEqual(framesOf(wal, header), ALL_FRAMES);
      for (const { frame, pgno, page } of readWalFrames(bytesSource(wal), new WalChain(header))) {
        assert.deepEqual(page, samplePage(pgno, frame - 1, 512));
      }
    });

    test(`stops at a frame with any one byte changed, ${order}`, () => {
      const wal = sampleWal(header, PAGES);
      const anyPlace = fc.integer({ min: 32, max: wal.length - 1 });
      fc.assert(
        fc.property(anyPlace, fc.integer({ min: 1, max: 255 }), (place, change) => {
          const bytes = wal.slice();
          bytes[place]! ^= change;
          const soundFrames = Math.floor((place - 32) / FRAME_SIZE);
          assert.deepEqual(framesOf(bytes, header), ALL_FRAMES.slice(0, soundFrames));
        }),
      );
    });
  }

  test('stops at the last whole frame, wherever the file is cut off', () => {
    const wal = sampleWal(HEADER, PAGES);
    for (let length = 32; length <= wal.length; length++) {
      const whole = Math.floor((length - 32) / FRAME_SIZE);
      assert.deepEqual(framesOf(wal.subarray(0, length)), ALL_FRAMES.slice(0, whole));
    }
  });

  test('stops before frames left by an older use of the file', () => {
    const older = sampleWal({ ...HEADER, salt1: HEADER.salt1 - 1 }, PAGES);
    older.set(sampleWal(HEADER, PAGES.slice(0, 2)));
    assert.deepEqual(framesOf(older), ALL_FRAMES.slice(0, 2));
  });

  test('stops at page number 0, also where the checksum is right', () => {
    const wal = sampleWal(HEADER, [{ pgno: 1 }, { pgno: 2 }]);
    const view = new DataView(wal.buffer);
    const chain = new WalChain(HEADER);
    assert.ok(chain.accept(view, walFrameOffset(1, 512)));
    const at = walFrameOffset(2, 512);
    for (const pgno of [2, 0]) {
      const sealed = chain.sums.slice();
      view.setUint32(at, pgno);
      updateWalChecksum(sealed, false, view, at, at + 8);
      updateWalChecksum(sealed, false, view, at + 24, at + 24 + 512);
      view.setUint32(at + 16, sealed[0]!);
      view.setUint32(at + 20, sealed[1]!);
      assert.equal(framesOf(wal).length, pgno === 0 ? 1 : 2);
    }
  });

  test('goes on from a saved chain', () => {
    const source = bytesSource(sampleWal(HEADER, PAGES));
    const chain = new WalChain(HEADER);
    for (const { commit } of readWalFrames(source, chain)) if (commit !== 0) break;
    const rest = Array.from(readWalFrames(source, chain, 3), ({ frame }) => frame);
    assert.deepEqual(rest, [3, 4, 5]);
  });

  test('reads from a source that returns less than it was asked for', () => {
    const wal = sampleWal(HEADER, PAGES);
    const whole = bytesSource(wal);
    const source = {
      read: (into: Uint8Array, offset: number, length: number, position: number) =>
        whole.read(into, offset, Math.min(length, 100), position),
    };
    assert.equal([...readWalFrames(source, new WalChain(HEADER))].length, PAGES.length);
  });
});

describe('WalChain', () => {
  test('stays where it is at a frame that does not fit', () => {
    const wal = new DataView(sampleWal(HEADER, PAGES).buffer);
    const chain = new WalChain(HEADER);
    const before = chain.sums.slice();
    assert.equal(chain.accept(wal, walFrameOffset(2, 512)), false);
    assert.deepEqual(chain.sums, before);
    assert.equal(chain.accept(wal, walFrameOffset(1, 512)), true);
    assert.notDeepEqual(chain.sums, before);
    chain.restart();
    assert.deepEqual(chain.sums, before);
  });

  test('accepts a header and a page that lie apart', () => {
    const wal = sampleWal(HEADER, PAGES);
    const header = new DataView(wal.slice(32, 32 + 24).buffer);
    const page = new DataView(Uint8Array.of(0, 0, 0, ...wal.subarray(56, 56 + 512)).buffer);
    assert.equal(new WalChain(HEADER).accept(header, 0, page, 3), true);
  });

  test('does not write a frame of page 0', () => {
    const frame = new DataView(new ArrayBuffer(FRAME_SIZE));
    assert.throws(() => new WalChain(HEADER).seal(frame, 0, 0, 0), { code: 'ASSERTION_FAILED' });
  });
});

describe('frame arithmetic', () => {
  test('knows the frame of every byte of the file', () => {
    for (const pageSize of [512, 4096, 65_536]) {
      assert.equal(walFrameAt(0, pageSize), 0);
      assert.equal(walFrameAt(31, pageSize), 0);
      for (const frame of [1, 2, 4063, 3_000_000]) {
        const start = walFrameOffset(frame, pageSize);
        assert.equal(walFrameAt(start, pageSize), frame);
        assert.equal(walFrameAt(start + 24 + pageSize - 1, pageSize), frame);
        assert.equal(walFrameOffset(frame + 1, pageSize), start + 24 + pageSize);
      }
    }
  });
});
