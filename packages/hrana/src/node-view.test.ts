import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { NodeView } from './node-view.ts';

describe('NodeView', () => {
  test('keeps what a change leaves out, and a primary only on a replica', () => {
    const view = new NodeView('node2');
    const primary = { name: 'node1', sqlUrl: 'http://node1:8090/' };
    view.update({ role: 'replica', epoch: 3, primary, positions: [['a', { epoch: 3, txid: 7n }]] });
    view.update({ positions: [['b', { epoch: 3, txid: 1n }]] });
    assert.deepEqual([view.role, view.epoch, view.primary], ['replica', 3, primary]);
    assert.deepEqual(view.position('a'), { epoch: 3, txid: 7n });
    view.update({ positions: [['a', undefined]] });
    assert.equal(view.position('a'), undefined);
    view.update({ role: 'no-primary' });
    assert.equal(view.primary, undefined);
  });

  test('until() resolves at the change, at the end of its time, or at once', async () => {
    const view = new NodeView('node1');
    const isPrimary = (): boolean => view.role === 'primary';
    const waiting = view.until(isPrimary, 60_000);
    view.update({ epoch: 1 });
    view.update({ role: 'primary' });
    assert.equal(await waiting, true);
    assert.equal(await view.until(isPrimary, 0), true);
    assert.equal(await view.until(() => false, 1), false);
    assert.equal(await view.until(() => false, 0), false);
  });
});
