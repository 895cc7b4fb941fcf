import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { fuzzTargets } from './fuzz-targets.ts';

for (const target of fuzzTargets) {
  describe(`fuzz target ${target.name}`, () => {
    test('decodes its seeds', () => {
      for (const seed of target.seeds()) assert.doesNotThrow(() => target.decode(seed));
    });

    test('decodes or rejects bytes that were changed, cut off or repeated', () => {
      const seeds = target.seeds();
      const change = fc.tuple(fc.nat(), fc.nat(255));
      const vector = fc.record({
        seed: fc.constantFrom(...seeds),
        changes: fc.array(change, { maxLength: 3 }),
        length: fc.option(fc.nat(2048), { nil: undefined }),
        repeat: fc.boolean(),
      });
      fc.assert(
        fc.property(vector, ({ seed, changes, length, repeat }) => {
          const bytes = seed.slice(0, length);
          for (const [place, value] of changes) bytes[place % bytes.length] = value;
          const input = repeat ? Uint8Array.of(...bytes, ...bytes) : bytes;
          try {
            target.decode(input);
          } catch (error) {
            if (!target.isFormatError(error)) throw error;
          }
        }),
        { numRuns: 300 },
      );
    });
  });
}
