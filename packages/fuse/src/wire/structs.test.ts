import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { DIRENT_TYPE, encodeDirent } from './dirents.ts';
import { FOPEN, formatFlags, formatOpenFlags } from './flags.ts';
import {
  encodeAttrOut,
  encodeEntryOut,
  encodeLkOut,
  encodeNegativeEntry,
  encodeOpenOut,
  encodeOutHeader,
  encodeStatfsOut,
  type FuseAttr,
  setU64,
} from './structs.ts';

const AT = 16;

function dirty(): { bytes: Uint8Array<ArrayBuffer>; view: DataView } {
  const bytes = new Uint8Array(512).fill(0xee);
  return { bytes, view: new DataView(bytes.buffer) };
}

// Every field has a value of its own, so that two that are exchanged show.
const ATTR: FuseAttr = {
  ino: 2 ** 40 + 1,
  size: 2 ** 41 + 2,
  blocks: 2 ** 42 + 3,
  atime: -1,
  mtime: 2 ** 33 + 5,
  ctime: 6,
  atimensec: 7,
  mtimensec: 8,
  ctimensec: 999_999_999,
  mode: 0o100644,
  nlink: 11,
  uid: 0xffffffff,
  gid: 13,
  rdev: 14,
  blksize: 4096,
};

// struct fuse_attr of the kernel's header: u64 ino, size, blocks, atime, mtime, ctime; u32
// atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, flags.
function assertAttr(view: DataView, at: number): void {
  const u64 = [0, 8, 16, 24, 32, 40].map((field) => view.getBigInt64(at + field, true));
  const { ino, size, blocks, atime, mtime, ctime } = ATTR;
  assert.deepEqual(u64, [ino, size, blocks, atime, mtime, ctime].map(BigInt));
  const u32 = Array.from({ length: 10 }, (_, index) => view.getUint32(at + 48 + index * 4, true));
  const { atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize } = ATTR;
  const expected = [atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, 0];
  assert.deepEqual(u32, expected);
}

/** Nothing was written before or behind the struct. */
function assertOnly(bytes: Uint8Array, start: number, length: number): void {
  assert.ok(bytes.subarray(0, start).every((byte) => byte === 0xee));
  assert.ok(bytes.subarray(start + length).every((byte) => byte === 0xee));
}

describe('encoders of replies', () => {
  test('setU64() writes what BigInt would, negative numbers too', () => {
    const { view } = dirty();
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        setU64(view, 8, value);
        assert.equal(view.getBigInt64(8, true), BigInt(value));
      }),
    );
  });

  test('encodeOutHeader(): 16 bytes', () => {
    const { bytes, view } = dirty();
    encodeOutHeader(view, 100, -2, 0xfffffffe, 7);
    assert.equal(view.getUint32(0, true), 100);
    assert.equal(view.getInt32(4, true), -2);
    assert.equal(view.getBigUint64(8, true), (7n << 32n) | 0xfffffffen);
    assertOnly(bytes, 0, 16);
  });

  test('encodeAttrOut(): 104 bytes, every one written', () => {
    const { bytes, view } = dirty();
    encodeAttrOut(view, AT, { attr: ATTR, attrValidMs: 2500.25 });
    assert.equal(view.getBigUint64(AT, true), 2n);
    assert.equal(view.getUint32(AT + 8, true), 500_250_000);
    assert.equal(view.getUint32(AT + 12, true), 0);
    assertAttr(view, AT + 16);
    assertOnly(bytes, AT, 104);
  });

  test('encodeEntryOut(): 128 bytes, every one written', () => {
    const { bytes, view } = dirty();
    const times = { entryValidMs: 60_000, attrValidMs: 1 };
    encodeEntryOut(view, AT, { nodeid: 2 ** 50, generation: 3, attr: ATTR, ...times });
    assert.equal(view.getBigUint64(AT, true), 2n ** 50n);
    assert.equal(view.getBigUint64(AT + 8, true), 3n);
    assert.equal(view.getBigUint64(AT + 16, true), 60n);
    assert.equal(view.getBigUint64(AT + 24, true), 0n);
    assert.equal(view.getUint32(AT + 32, true), 0);
    assert.equal(view.getUint32(AT + 36, true), 1_000_000);
    assertAttr(view, AT + 40);
    assertOnly(bytes, AT, 128);
  });

  test('encodeNegativeEntry(): node 0, the time, and nothing else', () => {
    const { bytes, view } = dirty();
    encodeNegativeEntry(view, bytes, AT, 1500);
    assert.equal(view.getBigUint64(AT + 16, true), 1n);
    assert.equal(view.getUint32(AT + 32, true), 500_000_000);
    view.setBigUint64(AT + 16, 0n);
    view.setUint32(AT + 32, 0);
    assert.ok(bytes.subarray(AT, AT + 128).every((byte) => byte === 0));
    assertOnly(bytes, AT, 128);
  });

  test('encodeOpenOut(): 16 bytes', () => {
    const { bytes, view } = dirty();
    encodeOpenOut(view, AT, { fh: 2 ** 45, openFlags: FOPEN.PASSTHROUGH, backingId: 5 });
    assert.equal(view.getBigUint64(AT, true), 2n ** 45n);
    assert.equal(view.getUint32(AT + 8, true), 0x80);
    assert.equal(view.getInt32(AT + 12, true), 5);
    assertOnly(bytes, AT, 16);
  });

  test('encodeStatfsOut(): 80 bytes, every one written', () => {
    const { bytes, view } = dirty();
    const sizes = { blocks: 1, bfree: 2, bavail: 3, files: 4, ffree: 2 ** 35 };
    encodeStatfsOut(view, bytes, AT, { ...sizes, bsize: 6, namelen: 7, frsize: 8 });
    const u64 = [0, 8, 16, 24, 32].map((field) => view.getBigUint64(AT + field, true));
    assert.deepEqual(u64, [1n, 2n, 3n, 4n, 2n ** 35n]);
    const u32 = Array.from({ length: 10 }, (_, index) => view.getUint32(AT + 40 + index * 4, true));
    assert.deepEqual(u32, [6, 7, 8, 0, 0, 0, 0, 0, 0, 0]);
    assertOnly(bytes, AT, 80);
  });

  test('encodeLkOut(): 24 bytes', () => {
    const { bytes, view } = dirty();
    encodeLkOut(view, AT, { start: 2 ** 34, end: 2 ** 35, type: 1, pid: 99 });
    assert.equal(view.getBigUint64(AT, true), 2n ** 34n);
    assert.equal(view.getBigUint64(AT + 8, true), 2n ** 35n);
    assert.equal(view.getUint32(AT + 16, true), 1);
    assert.equal(view.getUint32(AT + 20, true), 99);
    assertOnly(bytes, AT, 24);
  });
});

describe('encodeDirent()', () => {
  test('pads the name with zeros to 8 bytes', () => {
    for (let length = 1; length <= 17; length += 1) {
      const { bytes, view } = dirty();
      const name = 'n'.repeat(length);
      const dirent = { ino: 5, off: 2 ** 33, type: DIRENT_TYPE.REG, name };
      const taken = encodeDirent(bytes, { at: AT, end: 512 }, dirent);
      assert.equal(taken, Math.ceil((24 + length) / 8) * 8);
      assert.equal(view.getBigUint64(AT, true), 5n);
      assert.equal(view.getBigUint64(AT + 8, true), 2n ** 33n);
      assert.equal(view.getUint32(AT + 16, true), length);
      assert.equal(view.getUint32(AT + 20, true), 8);
      const text = Buffer.from(bytes.subarray(AT + 24, AT + taken)).toString();
      assert.equal(text, name + '\0'.repeat(taken - 24 - length));
      assertOnly(bytes, AT, taken);
    }
  });

  test('counts the bytes of a name, not its letters', () => {
    const { bytes, view } = dirty();
    encodeDirent(bytes, { at: AT, end: 512 }, { ino: 1, off: 1, type: 8, name: 'é€' });
    assert.equal(view.getUint32(AT + 16, true), 5);
  });

  test('puts the entry before the dirent for READDIRPLUS', () => {
    const { bytes, view } = dirty();
    const entry = { nodeid: 9, generation: 0, attr: ATTR, entryValidMs: 0, attrValidMs: 0 };
    const dirent = { ino: 5, off: 6, type: DIRENT_TYPE.DIR, name: 'a' };
    assert.equal(encodeDirent(bytes, { at: AT, end: 512 }, dirent, entry), 160);
    assert.equal(view.getBigUint64(AT, true), 9n);
    assertAttr(view, AT + 40);
    assert.equal(view.getBigUint64(AT + 128, true), 5n);
  });

  test('writes nothing when there is no room for all of it', () => {
    const { bytes } = dirty();
    const dirent = { ino: 5, off: 6, type: 8, name: 'abc' };
    assert.equal(encodeDirent(bytes, { at: AT, end: AT + 31 }, dirent), 0);
    assertOnly(bytes, AT, 0);
    assert.equal(encodeDirent(bytes, { at: AT, end: AT + 32 }, dirent), 32);
  });
});

describe('formatFlags()', () => {
  test('names bits and shows the rest as a number', () => {
    assert.equal(formatFlags(0, FOPEN), '0');
    assert.equal(formatFlags(0x22, FOPEN), 'KEEP_CACHE|NOFLUSH');
    assert.equal(formatFlags(0x80000001, FOPEN), 'DIRECT_IO|0x80000000');
  });

  test('formatOpenFlags() begins with the access mode', () => {
    assert.equal(formatOpenFlags(0), 'RDONLY');
    assert.equal(formatOpenFlags(1), 'WRONLY');
    assert.equal(formatOpenFlags(0o1102), 'RDWR|CREAT|TRUNC');
  });
});
