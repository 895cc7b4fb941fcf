import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Checksum, type Position, toTxid } from '@skein/ltx';

import { Misfits } from './misfits.ts';

function at(txid: number): Position {
  return { txid: toTxid(txid), checksum: (BigInt(txid) | (1n << 63n)) as Checksum };
}

const POSITIONS = new Map([
  ['a.db', at(3)],
  ['b.db', at(7)],
]);

describe('Misfits', () => {
  test('tells another checksum of what was refused twice at one place, and of that alone', () => {
    const misfits = new Misfits();
    misfits.refused('a.db', at(3));
    assert.deepEqual(misfits.tell(POSITIONS), POSITIONS);
    misfits.refused('a.db', at(3));
    const told = misfits.tell(POSITIONS);
    assert.equal(told.get('a.db')?.txid, 3n);
    assert.notEqual(told.get('a.db')?.checksum, at(3).checksum);
    assert.deepEqual(told.get('b.db'), at(7));
  });

  test('forgets a refusal at a place that was left since', () => {
    const misfits = new Misfits();
    misfits.refused('a.db', at(2));
    misfits.refused('a.db', at(3));
    assert.deepEqual(misfits.tell(POSITIONS), POSITIONS);
  });

  test('tells the truth again when the database has taken something', () => {
    const misfits = new Misfits();
    for (let count = 0; count < 2; count++) misfits.refused('a.db', at(3));
    misfits.taken('a.db');
    misfits.refused('a.db', at(3));
    assert.deepEqual(misfits.tell(POSITIONS), POSITIONS);
  });
});
