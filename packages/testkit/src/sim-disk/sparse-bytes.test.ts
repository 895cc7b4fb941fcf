import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { BLOCK_SIZE_BYTES, SparseBytes } from './sparse-bytes.ts';

type Step =
  | { readonly kind: 'write'; readonly position: number; readonly length: number }
  | { readonly kind: 'zeros'; readonly position: number; readonly length: number }
  | { readonly kind: 'resize'; readonly size: number }
  | { readonly kind: 'fork'; readonly goesOn: 'original' | 'fork' };

// Positions crowd around block borders, where mistakes are.
const position = fc
  .tuple(fc.nat(3), fc.integer({ min: -3, max: 3 }))
  .map(([block, offset]) => Math.max(0, block * BLOCK_SIZE_BYTES + offset));

const length = fc.oneof(
  fc.nat(5),
  position.map((value) => value % (2 * BLOCK_SIZE_BYTES)),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), position, length }),
  fc.record({ kind: fc.constant('zeros' as const), position, length }),
  fc.record({ kind: fc.constant('resize' as const), size: position }),
  fc.record({
    kind: fc.constant('fork' as const),
    goesOn: fc.constantFrom('original' as const, 'fork' as const),
  }),
);

describe('SparseBytes', () => {
  test('behaves like an array, and forks never see what the other one does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let sparse = new SparseBytes();
        let model = new Uint8Array(0);
        const left: (readonly [SparseBytes, Uint8Array])[] = [];
        steps.forEach((step, index) => {
          if (step.kind === 'fork') {
            const fork = sparse.fork();
            left.push([step.goesOn === 'fork' ? sparse : fork, model]);
            if (step.goesOn === 'fork') sparse = fork;
          } else {
            apply(sparse, step, index + 1);
            model = applyToModel(model, step, index + 1);
          }
          assert.deepEqual(contentOf(sparse), model);
        });
        for (const [fork, expected] of left) assert.deepEqual(contentOf(fork), expected);
      }),
    );
  });

  test('copyRange() takes over bytes and holes', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), position, length, (ours, theirs, at, count) => {
        const [target, source] = [new SparseBytes(), new SparseBytes()];
        ours.forEach((step, index) => apply(target, step, index + 1));
        theirs.forEach((step, index) => apply(source, step, index + 101));
        const size = 6 * BLOCK_SIZE_BYTES;
        target.resize(size);
        const expected = contentOf(target);
        source.resize(size);
        expected.set(contentOf(source).subarray(at, at + count), at);
        target.copyRange(source, at, count);
        assert.deepEqual(contentOf(target), expected);
      }),
    );
  });

  test('a hole costs nothing and zeros cost space but no memory', () => {
    const sparse = new SparseBytes();
    sparse.resize(2 ** 40);
    assert.equal(sparse.blockCount, 0);
    sparse.writeZeros(2 ** 30, 100 * BLOCK_SIZE_BYTES);
    assert.equal(sparse.blockCount, 100);
    assert.equal(sparse.size, 2 ** 40);
    sparse.resize(2 ** 30 + BLOCK_SIZE_BYTES + 1);
    assert.equal(sparse.blockCount, 2);
  });

  test('countMissingBlocks() counts what a write would allocate', () => {
    const sparse = new SparseBytes();
    sparse.write(Uint8Array.of(1), BLOCK_SIZE_BYTES);
    assert.equal(sparse.countMissingBlocks(100, 0), 0);
    assert.equal(sparse.countMissingBlocks(0, 1), 1);
    assert.equal(sparse.countMissingBlocks(BLOCK_SIZE_BYTES - 1, 2), 1);
    assert.equal(sparse.countMissingBlocks(0, 3 * BLOCK_SIZE_BYTES), 2);
    const before = sparse.blockCount;
    sparse.write(new Uint8Array(3 * BLOCK_SIZE_BYTES), 0);
    assert.equal(sparse.blockCount, before + 2);
  });
});

function apply(sparse: SparseBytes, step: Step, value: number): void {
  if (step.kind === 'write') sparse.write(filled(step.length, value), step.position);
  if (step.kind === 'zeros') sparse.writeZeros(step.position, step.length);
  if (step.kind === 'resize') sparse.resize(step.size);
}

function applyToModel(model: Uint8Array, step: Step, value: number): Uint8Array<ArrayBuffer> {
  if (step.kind === 'fork') return model.slice();
  if (step.kind === 'resize') return resized(model, step.size);
  if (step.length === 0) return model.slice();
  const grown = resized(model, Math.max(model.length, step.position + step.length));
  grown.set(filled(step.length, step.kind === 'write' ? value : 0), step.position);
  return grown;
}

function resized(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function contentOf(sparse: SparseBytes): Uint8Array {
  const bytes = new Uint8Array(sparse.size);
  assert.equal(sparse.read(bytes, 0, bytes.length, 0), bytes.length);
  return bytes;
}
