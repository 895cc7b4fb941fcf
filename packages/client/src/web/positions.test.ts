import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import {
  formatPositions,
  isNothing,
  isReached,
  mergePositions,
  NO_POSITIONS,
  onePosition,
  parsePositions,
  type Positions,
} from './positions.ts';

const NAME = fc.string({ minLength: 1, maxLength: 20, unit: 'binary' });
const PLAIN = { noNullPrototype: true };
const POSITION = fc.record(
  {
    epoch: fc.nat({ max: 999_999 }),
    txid: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  },
  PLAIN,
);
const POSITIONS: fc.Arbitrary<Positions> = fc.record(
  {
    byDatabase: fc.array(fc.tuple(NAME, POSITION), { maxLength: 5 }).map((each) => new Map(each)),
    isPartial: fc.boolean(),
  },
  PLAIN,
);

test('formatPositions() and parsePositions() agree with what the documents show', () => {
  const text = '1&*&3:1a2b:app.db&3:7:other%20one.db';
  const positions = parsePositions(text);
  assert.equal(formatPositions(positions), text);
  assert.equal(positions.isPartial, true);
  assert.deepEqual(positions.byDatabase.get('other one.db'), { epoch: 3, txid: 7n });
});

test('parsePositions() reads what formatPositions() writes', () => {
  fc.assert(
    fc.property(POSITIONS, (positions) => {
      assert.deepEqual(parsePositions(formatPositions(positions)), positions);
    }),
  );
});

test('parsePositions() takes what it cannot read for nothing', () => {
  const long = `1&1:1:${'a'.repeat(3000)}`;
  const many = `1${'&1:1:a'.repeat(33)}`;
  for (const text of ['', '2&1:1:a', '1&1:1', '1&x:1:a', '1&1:1:%', '1&1:1A:a', long, many]) {
    assert(isNothing(parsePositions(text)), text);
  }
  fc.assert(fc.property(fc.string(), (text) => void parsePositions(text)));
});

test('mergePositions() never takes a client back', () => {
  fc.assert(
    fc.property(POSITIONS, POSITIONS, (older, newer) => {
      const merged = mergePositions(older, newer);
      for (const { byDatabase } of [older, newer]) {
        for (const [name, { epoch, txid }] of byDatabase) {
          const kept = merged.byDatabase.get(name);
          if (kept === undefined) assert(merged.isPartial);
          else assert(kept.epoch > epoch || (kept.epoch === epoch && kept.txid >= txid));
        }
      }
    }),
  );
});

test('mergePositions() keeps what was seen last, and says that there was more', () => {
  let merged = NO_POSITIONS;
  for (let i = 0; i < 40; i += 1) {
    merged = mergePositions(merged, onePosition(`${i}.db`, { epoch: 1, txid: 1n }));
  }
  assert.equal(merged.byDatabase.size, 32);
  assert(merged.isPartial);
  assert(merged.byDatabase.has('39.db') && !merged.byDatabase.has('0.db'));
});

test('isReached() wants the epoch and the transaction', () => {
  const wanted = { epoch: 2, txid: 5n };
  assert(isReached(wanted, { epoch: 2, txid: 5n }));
  assert(!isReached(wanted, { epoch: 2, txid: 4n }));
  assert(!isReached(wanted, { epoch: 3, txid: 4n }), 'It may still fetch what came before');
  assert(!isReached(wanted, { epoch: 1, txid: 9n }));
  assert(!isReached(wanted, undefined));
});
