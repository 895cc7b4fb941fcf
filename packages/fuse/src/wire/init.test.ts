import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { encodeInitOut, INIT_FLAG, type InitFlag, type InitOptions, negotiate } from './init.ts';
import { IN_HEADER_BYTES, RequestBuffer } from './request-buffer.ts';
import { createRequestViews, type RequestViews } from './request-views.ts';

interface Offer {
  readonly major?: number;
  readonly minor?: number;
  readonly readahead?: number;
  readonly flags?: readonly InitFlag[];
}

function offer({ major = 7, minor = 45, readahead = 131072, flags }: Offer): RequestViews['INIT'] {
  const buffer = new RequestBuffer(256);
  const words = [0, 0];
  for (const name of flags ?? (Object.keys(INIT_FLAG) as InitFlag[])) {
    const bit = INIT_FLAG[name];
    words[bit >> 5]! |= 1 << (bit & 31);
  }
  const values = [major, minor, readahead, ...words];
  for (const [index, value] of values.entries()) {
    buffer.view.setUint32(IN_HEADER_BYTES + index * 4, value, true);
  }
  buffer.length = IN_HEADER_BYTES + 64;
  return createRequestViews(buffer).INIT;
}

function encode(options: InitOptions, offered: Offer = {}): DataView {
  const bytes = new Uint8Array(256).fill(0xee);
  const view = new DataView(bytes.buffer);
  encodeInitOut(view, bytes, negotiate(offer(offered), options));
  return new DataView(bytes.buffer, 16);
}

describe('negotiate()', () => {
  test('leaves locks and truncation to the kernel by default', () => {
    const { flags } = negotiate(offer({}), {});
    for (const name of [
      'POSIX_LOCKS',
      'FLOCK_LOCKS',
      'ATOMIC_O_TRUNC',
      'WRITEBACK_CACHE',
    ] as const) {
      assert.equal(flags.has(name), false, name);
    }
    const expected = ['ASYNC_READ', 'BIG_WRITES', 'INIT_EXT', 'MAX_PAGES', 'PARALLEL_DIROPS'];
    assert.deepEqual([...flags].sort(), expected);
  });

  test('takes only what is both wanted and offered', () => {
    const offered = offer({ flags: ['ASYNC_READ', 'INIT_EXT'] });
    const { flags, offered: seen } = negotiate(offered, { flags: ['ASYNC_READ', 'PASSTHROUGH'] });
    assert.deepEqual([...flags].sort(), ['ASYNC_READ', 'INIT_EXT']);
    assert.deepEqual([...seen].sort(), ['ASYNC_READ', 'INIT_EXT']);
  });

  test('sees every flag that is offered', () => {
    const all = Object.keys(INIT_FLAG) as InitFlag[];
    for (const name of all) {
      assert.deepEqual([...negotiate(offer({ flags: [name] }), { flags: all }).offered], [name]);
    }
  });

  test('speaks the older of two minor versions', () => {
    assert.equal(negotiate(offer({ minor: 40 }), {}).minor, 40);
    assert.equal(negotiate(offer({ minor: 99 }), {}).minor, 45);
  });

  test('refuses a kernel that is too old', () => {
    assert.throws(() => negotiate(offer({ minor: 30 }), {}), { code: 'FUSE_KERNEL_TOO_OLD' });
    assert.throws(() => negotiate(offer({ major: 6, minor: 99 }), {}), {
      code: 'FUSE_KERNEL_TOO_OLD',
    });
    assert.equal(negotiate(offer({ minor: 31 }), {}).minor, 31);
  });

  test('wants writes of at least a page', () => {
    const options = { maxWriteBytes: 4095 };
    assert.throws(() => negotiate(offer({}), options), { code: 'ASSERTION_FAILED' });
  });

  test('lowers readahead to what either side wants', () => {
    assert.equal(negotiate(offer({}), {}).maxReadaheadBytes, 131072);
    assert.equal(negotiate(offer({}), { maxReadaheadBytes: 4096 }).maxReadaheadBytes, 4096);
    assert.equal(negotiate(offer({}), { maxReadaheadBytes: 1 << 20 }).maxReadaheadBytes, 131072);
  });
});

describe('encodeInitOut()', () => {
  test('writes 64 bytes, all of them', () => {
    const bytes = new Uint8Array(256).fill(0xee);
    encodeInitOut(new DataView(bytes.buffer), bytes, negotiate(offer({}), {}));
    assert.ok(bytes.subarray(0, 16).every((byte) => byte === 0xee));
    assert.ok(bytes.subarray(16 + 42, 16 + 64).every((byte) => byte === 0));
    assert.ok(bytes.subarray(16 + 64).every((byte) => byte === 0xee));
  });

  test('puts every field where the kernel reads it', () => {
    const view = encode({ flags: ['ASYNC_READ', 'PASSTHROUGH'], maxBackground: 10 });
    assert.equal(view.getUint32(0, true), 7);
    assert.equal(view.getUint32(4, true), 45);
    assert.equal(view.getUint32(8, true), 131072);
    assert.equal(view.getUint32(12, true), (1 | (1 << 22) | (1 << 30)) >>> 0);
    assert.equal(view.getUint16(16, true), 10);
    assert.equal(view.getUint16(18, true), 8);
    assert.equal(view.getUint32(20, true), 1 << 20);
    assert.equal(view.getUint32(24, true), 1);
    assert.equal(view.getUint16(28, true), 256);
    assert.equal(view.getUint32(32, true), 1 << 5);
    assert.equal(view.getUint32(36, true), 1);
  });

  test('asks for no stacking without passthrough', () => {
    const view = encode({ flags: ['PASSTHROUGH'] }, { flags: ['INIT_EXT'] });
    assert.equal(view.getUint32(32, true), 0);
    assert.equal(view.getUint32(36, true), 0);
  });

  test('counts the pages of the longest write', () => {
    assert.equal(encode({ maxWriteBytes: 4097 }).getUint16(28, true), 2);
    assert.equal(encode({ maxWriteBytes: 1 << 24 }).getUint16(28, true), 256);
  });
});
