import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { decodePack, encodePack, type PackValue } from './message-pack.ts';

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.integer(),
  fc.string({ unit: 'grapheme' }),
);

test('decodePack() gives back what encodePack() was given', () => {
  fc.assert(
    fc.property(fc.array(scalar), (values: PackValue[]) => {
      assert.deepEqual(decodePack(encodePack(values)), values);
    }),
  );
  assert.equal(decodePack(encodePack(-(2n ** 63n))), -(2n ** 63n));
});

test('decodePack() reads every short form', () => {
  const cases: readonly (readonly [readonly number[], PackValue])[] = [
    [[0x05], 5],
    [[0xff], -1],
    [[0xcc, 0xff], 255],
    [[0xcd, 1, 0], 256],
    [[0xd1, 0xff, 0x00], -256],
    [[0xca, 0x3f, 0x80, 0, 0], 1],
    [[0xa2, 0x68, 0x69], 'hi'],
    [[0xd9, 1, 0x61], 'a'],
    [
      [0x92, 1, 0xc0],
      [1, null],
    ],
    [[0xdc, 0, 1, 0xc3], [true]],
  ];
  for (const [bytes, value] of cases) assert.deepEqual(decodePack(Uint8Array.from(bytes)), value);
});

test('decodePack() throws for anything else, and reads nothing beyond the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodePack(bytes);
      } catch (error) {
        assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
      }
    }),
  );
});
