import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StaticLeaser } from './static-leaser.ts';

const PRIMARY = { name: 'node1', urls: [new URL('http://node1:20202')] };

describe('StaticLeaser', () => {
  test('gives a lease to the named node, after its epoch is stored', async () => {
    const stored = Promise.withResolvers<void>();
    const raised: number[] = [];
    const epochs = {
      raise: (epoch: number) => {
        raised.push(epoch);
        return stored.promise;
      },
    };
    const leaser = new StaticLeaser({ name: 'node1', nodeId: 7n, primary: PRIMARY, epochs });
    let isGiven = false;
    const lease = leaser.acquire(0x1_0000).finally(() => {
      isGiven = true;
    });
    await new Promise(setImmediate);
    assert.deepEqual([raised, isGiven], [[0x2_0007], false]);
    stored.resolve();
    assert.equal((await lease)?.epoch, 0x2_0007);
  });

  test('gives none to another, and says who has it', async () => {
    const epochs = { raise: () => assert.fail('Nobody leads here') };
    const leaser = new StaticLeaser({ name: 'node2', nodeId: 7n, primary: PRIMARY, epochs });
    assert.equal(leaser.isCandidate, false);
    assert.equal(await leaser.acquire(1), undefined);
    assert.equal(await leaser.primaryInfo(), PRIMARY);
  });

  test('gives none when the epoch cannot be stored', async () => {
    const epochs = { raise: () => Promise.reject(new Error('disk')) };
    const leaser = new StaticLeaser({ name: 'node1', nodeId: 7n, primary: PRIMARY, epochs });
    await assert.rejects(leaser.acquire(1), /disk/);
  });
});
