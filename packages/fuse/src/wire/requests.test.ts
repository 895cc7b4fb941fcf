// Every field of every request is read from where include/uapi/linux/fuse.h has it. The layouts are
// written down here a second time, from the header itself, so that a slip in one place shows.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { OPCODE, type OpcodeName } from './opcode.ts';
import { IN_HEADER_BYTES, RequestBuffer } from './request-buffer.ts';
import { createRequestViews, type RequestViews, viewsByOpcode } from './request-views.ts';

type Kind = 'u32' | 'u64' | 'i64' | 'big';

interface Layout {
  readonly bytes: number;
  /** Accessor: kind and offset. */
  readonly fields: Readonly<Record<string, readonly [Kind, number]>>;
  /** Accessors of the strings that follow. */
  readonly names?: readonly string[];
}

const OPEN: Layout = { bytes: 8, fields: { flags: ['u32', 0] } };
const CREATE: Layout = {
  bytes: 16,
  fields: { flags: ['u32', 0], mode: ['u32', 4], umask: ['u32', 8] },
  names: ['name'],
};
const READ: Layout = {
  bytes: 40,
  fields: {
    fh: ['u64', 0],
    offset: ['u64', 8],
    size: ['u32', 16],
    readFlags: ['u32', 20],
    flags: ['u32', 32],
  },
};
const RELEASE: Layout = {
  bytes: 24,
  fields: { fh: ['u64', 0], flags: ['u32', 8], releaseFlags: ['u32', 12] },
};
const LK: Layout = {
  bytes: 48,
  fields: {
    fh: ['u64', 0],
    owner: ['big', 8],
    start: ['u64', 16],
    end: ['u64', 24],
    type: ['u32', 32],
    lockPid: ['u32', 36],
    lkFlags: ['u32', 40],
  },
};
const COPY: Layout = {
  bytes: 56,
  fields: {
    fhIn: ['u64', 0],
    offIn: ['u64', 8],
    nodeidOut: ['u64', 16],
    fhOut: ['u64', 24],
    offOut: ['u64', 32],
    len: ['u64', 40],
  },
};
const NAME: Layout = { bytes: 0, fields: {}, names: ['name'] };

const LAYOUTS: Partial<Record<OpcodeName, Layout>> = {
  LOOKUP: NAME,
  UNLINK: NAME,
  RMDIR: NAME,
  REMOVEXATTR: NAME,
  SYMLINK: { bytes: 0, fields: {}, names: ['name', 'target'] },
  MKNOD: {
    bytes: 16,
    fields: { mode: ['u32', 0], rdev: ['u32', 4], umask: ['u32', 8] },
    names: ['name'],
  },
  MKDIR: { bytes: 8, fields: { mode: ['u32', 0], umask: ['u32', 4] }, names: ['name'] },
  RENAME: { bytes: 8, fields: { newdir: ['u64', 0] }, names: ['name', 'newname'] },
  RENAME2: {
    bytes: 16,
    fields: { newdir: ['u64', 0], flags: ['u32', 8] },
    names: ['name', 'newname'],
  },
  LINK: { bytes: 8, fields: { oldnodeid: ['u64', 0] }, names: ['name'] },
  FORGET: { bytes: 8, fields: { nlookup: ['u64', 0] } },
  GETATTR: { bytes: 16, fields: { flags: ['u32', 0], fh: ['u64', 8] } },
  STATX: {
    bytes: 24,
    fields: { flags: ['u32', 0], fh: ['u64', 8], sxFlags: ['u32', 16], sxMask: ['u32', 20] },
  },
  SETATTR: {
    bytes: 88,
    fields: {
      valid: ['u32', 0],
      fh: ['u64', 8],
      size: ['u64', 16],
      atime: ['i64', 32],
      mtime: ['i64', 40],
      ctime: ['i64', 48],
      atimensec: ['u32', 56],
      mtimensec: ['u32', 60],
      ctimensec: ['u32', 64],
      mode: ['u32', 68],
      newUid: ['u32', 76],
      newGid: ['u32', 80],
    },
  },
  ACCESS: { bytes: 8, fields: { mask: ['u32', 0] } },
  OPEN,
  OPENDIR: OPEN,
  CREATE,
  TMPFILE: CREATE,
  READ,
  READDIR: READ,
  READDIRPLUS: READ,
  RELEASE,
  RELEASEDIR: RELEASE,
  FLUSH: { bytes: 24, fields: { fh: ['u64', 0], lockOwner: ['big', 16] } },
  FSYNC: { bytes: 16, fields: { fh: ['u64', 0] } },
  FSYNCDIR: { bytes: 16, fields: { fh: ['u64', 0] } },
  GETXATTR: { bytes: 8, fields: { size: ['u32', 0] }, names: ['name'] },
  LISTXATTR: { bytes: 8, fields: { size: ['u32', 0] } },
  GETLK: LK,
  SETLK: LK,
  SETLKW: LK,
  BMAP: { bytes: 16, fields: { block: ['u64', 0], blocksize: ['u32', 8] } },
  POLL: {
    bytes: 24,
    fields: { fh: ['u64', 0], kh: ['u64', 8], flags: ['u32', 16], events: ['u32', 20] },
  },
  FALLOCATE: {
    bytes: 32,
    fields: { fh: ['u64', 0], offset: ['u64', 8], length: ['u64', 16], mode: ['u32', 24] },
  },
  LSEEK: { bytes: 24, fields: { fh: ['u64', 0], offset: ['u64', 8], whence: ['u32', 16] } },
  COPY_FILE_RANGE: COPY,
  COPY_FILE_RANGE_64: COPY,
};

const VALUES: Readonly<Record<Kind, fc.Arbitrary<bigint>>> = {
  u32: fc.bigInt(0n, 2n ** 32n - 1n),
  u64: fc.bigInt(0n, 2n ** 53n - 1n),
  i64: fc.bigInt(-(2n ** 53n) + 1n, 2n ** 53n - 1n),
  big: fc.bigInt(0n, 2n ** 64n - 1n),
};

const nameArbitrary = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .filter((name) => !name.includes('\0') && name.isWellFormed());

/** A message of which everything that is not set is 0xee, as after a longer one. */
function messageOf(
  layout: Layout,
  values: readonly bigint[],
  names: readonly string[],
): RequestBuffer {
  const buffer = new RequestBuffer(1024);
  buffer.bytes.fill(0xee);
  for (const [index, [kind, at]] of Object.values(layout.fields).entries()) {
    const value = values[index]!;
    if (kind === 'u32') buffer.view.setUint32(IN_HEADER_BYTES + at, Number(value), true);
    else buffer.view.setBigUint64(IN_HEADER_BYTES + at, BigInt.asUintN(64, value), true);
  }
  const tail = Buffer.from(names.map((name) => `${name}\0`).join(''));
  buffer.bytes.set(tail, IN_HEADER_BYTES + layout.bytes);
  buffer.length = IN_HEADER_BYTES + layout.bytes + tail.length;
  return buffer;
}

describe('request views', () => {
  for (const [opcode, layout] of Object.entries(LAYOUTS) as [OpcodeName, Layout][]) {
    test(`${opcode}: every field is where the kernel puts it`, () => {
      const kinds = Object.values(layout.fields).map(([kind]) => VALUES[kind]);
      const namesOf = (layout.names ?? []).map(() => nameArbitrary);
      fc.assert(
        fc.property(fc.tuple(...kinds), fc.tuple(...namesOf), (values, names) => {
          const view = createRequestViews(messageOf(layout, values, names))[opcode];
          view.check();
          const read = view as unknown as Readonly<Record<string, number | bigint | string>>;
          for (const [index, [field, [kind]]] of Object.entries(layout.fields).entries()) {
            const expected = kind === 'big' ? values[index] : Number(values[index]);
            assert.equal(read[field], expected, field);
          }
          for (const [index, field] of (layout.names ?? []).entries()) {
            assert.equal(read[field], names[index], field);
          }
        }),
        { numRuns: 100 },
      );
    });

    test(`${opcode}: check() throws for a message that is one byte short`, () => {
      if (layout.bytes === 0) return;
      const buffer = messageOf(
        layout,
        Object.keys(layout.fields).map(() => 0n),
        [],
      );
      buffer.length -= 1;
      assert.throws(() => createRequestViews(buffer)[opcode].check(), {
        code: 'FUSE_REQUEST_MALFORMED',
      });
    });
  }

  test('read the header', () => {
    const buffer = new RequestBuffer(64);
    buffer.length = 40;
    const { view } = buffer;
    view.setUint32(0, 40, true);
    view.setUint32(4, OPCODE.STATFS, true);
    view.setUint32(8, 0xfffffffe, true);
    view.setUint32(12, 3, true);
    view.setBigUint64(16, 2n ** 52n + 5n, true);
    view.setUint32(24, 1000, true);
    view.setUint32(28, 1001, true);
    view.setUint32(32, 4321, true);
    assert.equal(buffer.readHeader(), OPCODE.STATFS);
    const { opcode, uniqueLo, uniqueHi, nodeid, uid, gid, pid } = createRequestViews(buffer).STATFS;
    assert.deepEqual(
      { opcode, uniqueLo, uniqueHi, nodeid, uid, gid, pid },
      {
        opcode: OPCODE.STATFS,
        uniqueLo: 0xfffffffe,
        uniqueHi: 3,
        nodeid: 2 ** 52 + 5,
        uid: 1000,
        gid: 1001,
        pid: 4321,
      },
    );
  });

  test('readHeader() throws unless the length says what came', () => {
    const buffer = new RequestBuffer(64);
    buffer.length = 39;
    assert.throws(() => buffer.readHeader(), { code: 'FUSE_REQUEST_MALFORMED' });
    buffer.length = 40;
    buffer.view.setUint32(0, 41, true);
    assert.throws(() => buffer.readHeader(), { code: 'FUSE_REQUEST_MALFORMED' });
  });

  test('every opcode has one', () => {
    const views = viewsByOpcode(createRequestViews(new RequestBuffer(64)));
    for (const opcode of Object.values(OPCODE)) assert.ok(views[opcode], String(opcode));
  });
});

describe('particular requests', () => {
  function viewsOf(body: readonly number[], bytes = body.length): RequestViews {
    const buffer = new RequestBuffer(256);
    buffer.bytes.set(body, IN_HEADER_BYTES);
    buffer.length = IN_HEADER_BYTES + bytes;
    return createRequestViews(buffer);
  }
  const words = (...values: readonly number[]): number[] => [
    ...new Uint8Array(Uint32Array.from(values).buffer),
  ];

  test('WRITE: the data follows the struct, and must be there', () => {
    const { WRITE } = viewsOf([...words(1, 0, 0, 0, 3, 0, 0, 0, 0, 0), 10, 20, 30]);
    WRITE.check();
    const { buffer, dataStart, size } = WRITE;
    assert.deepEqual([...buffer.bytes.subarray(dataStart, dataStart + size)], [10, 20, 30]);
    buffer.length -= 1;
    assert.throws(() => WRITE.check(), { code: 'FUSE_REQUEST_MALFORMED' });
  });

  test('SETXATTR: the value follows the name', () => {
    const body = [...words(3, 2), ...Buffer.from('user.é\0'), 1, 0, 2];
    const { SETXATTR } = viewsOf(body);
    SETXATTR.check();
    assert.equal(SETXATTR.name, 'user.é');
    assert.equal(SETXATTR.flags, 2);
    const { buffer, dataStart, size } = SETXATTR;
    assert.deepEqual([...buffer.bytes.subarray(dataStart, dataStart + size)], [1, 0, 2]);
  });

  test('INIT: flags2 is 0 from a kernel that sends the short struct', () => {
    const body = words(7, 31, 65536, 0xffffffff, 0xdeadbeef);
    assert.equal(viewsOf(body, 16).INIT.flags2, 0);
    assert.equal(viewsOf(body).INIT.flags2, 0xdeadbeef);
    assert.equal(viewsOf(body).INIT.flags, 0xffffffff);
  });

  test('BATCH_FORGET: pairs of node and count', () => {
    const { BATCH_FORGET } = viewsOf(words(2, 0, 5, 0, 1, 0, 6, 1, 2, 0));
    BATCH_FORGET.check();
    assert.equal(BATCH_FORGET.nodeidAt(0), 5);
    assert.equal(BATCH_FORGET.nlookupAt(0), 1);
    assert.equal(BATCH_FORGET.nodeidAt(1), 6 + 2 ** 32);
    assert.equal(BATCH_FORGET.nlookupAt(1), 2);
    BATCH_FORGET.buffer.length -= 1;
    assert.throws(() => BATCH_FORGET.check(), { code: 'FUSE_REQUEST_MALFORMED' });
  });

  test('GETATTR and FSYNC: flags as questions', () => {
    assert.equal(viewsOf(words(1, 0, 0, 0)).GETATTR.hasFh, true);
    assert.equal(viewsOf(words(0, 0, 0, 0)).GETATTR.hasFh, false);
    assert.equal(viewsOf(words(0, 0, 1, 0)).FSYNC.isDataOnly, true);
    assert.equal(viewsOf(words(0, 0, 0, 0)).FSYNC.isDataOnly, false);
  });

  test('INTERRUPT: the halves of the unique', () => {
    const { INTERRUPT } = viewsOf(words(8, 9));
    assert.deepEqual([INTERRUPT.interruptedLo, INTERRUPT.interruptedHi], [8, 9]);
  });

  test('a name that is not UTF-8 is refused, not guessed', () => {
    assert.throws(() => viewsOf([0x61, 0xff, 0]).LOOKUP.name, { code: 'FUSE_NAME_NOT_UTF8' });
  });

  test('a name keeps its byte order mark', () => {
    assert.equal(viewsOf([0xef, 0xbb, 0xbf, 0x61, 0]).LOOKUP.name, '\ufeffa');
  });

  test('a name that does not end in the message is refused, whatever lies behind', () => {
    const { LOOKUP } = viewsOf([0x61, 0x62, 0], 2);
    assert.throws(() => LOOKUP.name, { code: 'FUSE_REQUEST_MALFORMED' });
    const { RENAME } = viewsOf([...words(1, 0), 0x61, 0, 0x62], 11);
    assert.equal(RENAME.name, 'a');
    assert.throws(() => RENAME.newname, { code: 'FUSE_REQUEST_MALFORMED' });
  });
});
