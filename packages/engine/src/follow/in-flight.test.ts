import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { NO_CHECKSUM, type Position, toTxid } from '@skein/ltx';

import { InFlight } from './in-flight.ts';

function at(txid: number): Position {
  return { txid: toTxid(txid), checksum: NO_CHECKSUM };
}

type Batch = readonly [firstLsn: number, database: string, txid: number];

function send(inFlight: InFlight, ...batches: readonly Batch[]): void {
  for (const [firstLsn, database, txid] of batches) {
    inFlight.add({ firstLsn, database, txid: BigInt(txid) });
  }
}

describe('InFlight', () => {
  test('is what was sent since the batch that was acknowledged last', () => {
    const inFlight = new InFlight();
    send(inFlight, [1, 'a.db', 3], [4, 'b.db', 1], [7, 'a.db', 5], [9, 'b.db', 2]);
    inFlight.acknowledged('a.db', at(2));
    assert.equal(inFlight.firstLsn, 1, 'The end of the first batch is missing');
    inFlight.acknowledged('a.db', at(4));
    assert.equal(inFlight.firstLsn, 4);
    // Who has a batch has those before it.
    inFlight.acknowledged('a.db', at(5));
    assert.equal(inFlight.firstLsn, 9);
    inFlight.acknowledged('b.db', at(2));
    assert.equal(inFlight.firstLsn, undefined);
  });

  test('is nothing as long as the peer has never acknowledged anything', () => {
    const inFlight = new InFlight();
    send(inFlight, [1, 'a.db', 3]);
    assert.equal(inFlight.firstLsn, undefined);
  });

  test('is bounded: the oldest is forgotten', () => {
    const inFlight = new InFlight();
    inFlight.acknowledged('a.db', at(1));
    for (let n = 1; n <= 3000; n++) send(inFlight, [n, 'a.db', n + 1]);
    assert.equal(inFlight.firstLsn, 3000 - 1024 + 1);
  });
});
