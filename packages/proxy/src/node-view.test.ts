import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { formatPositions, parsePositions } from '@skein/client/peers';

import { PushedNodeView } from './node-view.ts';
import { MovedDatabases, maybeCorrected, positionsOf, seenHeaders } from './seen.ts';
import { WaitingRoom } from './waiting.ts';

const NEVER = new AbortController().signal;

describe('PushedNodeView', () => {
  test('starts without a primary and keeps what a change leaves out', () => {
    const view = new PushedNodeView('node2');
    assert.equal(view.role, 'no-primary');
    const primary = { name: 'node1', proxyUrl: 'http://node1:8001' };
    view.update({ role: 'replica', primary, lagMs: 5, positions: [['a', { epoch: 1, txid: 2n }]] });
    view.update({ positions: [['b', { epoch: 1, txid: 1n }]] });
    assert.equal(view.primary?.proxyUrl.port, '8001');
    assert.equal(view.lagMs, 5);
    assert.deepEqual(view.position('a'), { epoch: 1, txid: 2n });
    view.update({ positions: [['a', undefined]] });
    assert.equal(view.position('a'), undefined);
  });

  test('has no lag and no primary but itself as primary', () => {
    const view = new PushedNodeView('node2');
    view.update({ role: 'replica', primary: { name: 'n', proxyUrl: 'http://n' }, lagMs: 5 });
    view.update({ role: 'primary' });
    assert.equal(view.lagMs, 0);
    assert.equal(view.primary, undefined);
    // The primary of before is not the one of now.
    assert.throws(() => view.update({ role: 'replica' }), { code: 'ASSERTION_FAILED' });
  });

  test('can be told over a port', () => {
    const change = { role: 'primary', positions: [['a', { epoch: 1, txid: 1n }]] } as const;
    assert.deepEqual(structuredClone(change), change);
  });
});

describe('WaitingRoom', () => {
  test('asks again at each change, and at nothing else', async () => {
    const view = new PushedNodeView('n');
    const room = new WaitingRoom(view, 10);
    let asked = 0;
    const over = (): boolean => {
      asked += 1;
      return view.role === 'primary';
    };
    const waiting = room.wait(over, { timeoutMs: 60_000, signal: NEVER });
    view.update({ lagMs: 1 });
    assert.equal(room.size, 1);
    view.update({ role: 'primary' });
    await waiting;
    assert.equal(asked, 3);
    assert.equal(room.size, 0);
  });

  test('ends with the time, with the client, and with the room', async () => {
    const room = new WaitingRoom(new PushedNodeView('n'), 10);
    await room.wait(() => false, { timeoutMs: 1, signal: NEVER });
    const controller = new AbortController();
    const left = room.wait(() => false, { timeoutMs: 60_000, signal: controller.signal });
    controller.abort();
    await left;
    const cleared = room.wait(() => false, { timeoutMs: 60_000, signal: NEVER });
    room.clear();
    await cleared;
    assert.equal(room.size, 0);
  });

  test('takes no more than it has room for', async () => {
    const room = new WaitingRoom(new PushedNodeView('n'), 1);
    const first = room.wait(() => false, { timeoutMs: 60_000, signal: NEVER });
    await room.wait(() => false, { timeoutMs: 60_000, signal: NEVER });
    assert.equal(room.size, 1);
    room.clear();
    await first;
  });
});

describe('What a client has seen', () => {
  function primaryAt(entries: readonly (readonly [string, number, bigint])[]): PushedNodeView {
    const view = new PushedNodeView('n');
    view.update({
      role: 'primary',
      positions: entries.map(([name, epoch, txid]) => [name, { epoch, txid }]),
    });
    return view;
  }

  test('is where the databases stand that moved, the last one first', () => {
    const view = primaryAt([['a', 1, 1n]]);
    const moved = new MovedDatabases(view);
    view.update({ positions: [['b', { epoch: 1, txid: 1n }]] });
    view.update({ positions: [['c', { epoch: 1, txid: 1n }]] });
    view.update({ positions: [['b', { epoch: 1, txid: 2n }]] });
    assert.equal(formatPositions(moved.positions()), '1&1:2:b&1:1:c');
    moved.close();
    view.update({ positions: [['d', { epoch: 1, txid: 1n }]] });
    assert.equal(moved.positions().byDatabase.size, 2);
    assert.equal(formatPositions(positionsOf(view, ['a', 'unknown'])), '1&1:1:a');
  });

  const corrections: readonly (readonly [string, string | undefined, string])[] = [
    ['1&2:5:a', undefined, 'is right'],
    ['1&2:9:a', undefined, 'is ahead in the same epoch, which never goes back'],
    ['1&1:9:a', '1&2:5:a', 'is of an epoch that has ended'],
    ['1&2:5:gone', '1', 'is of a database that is gone'],
    ['1&0:4:a', undefined, "is LiteFS's"],
    ['1&0:9:a', '1&2:5:a', "is LiteFS's and of a history that was lost"],
  ];
  for (const [wanted, expected, name] of corrections) {
    test(`is corrected where it ${name}`, () => {
      const corrected = maybeCorrected(primaryAt([['a', 2, 5n]]), parsePositions(wanted));
      assert.equal(corrected === undefined ? undefined : formatPositions(corrected), expected);
    });
  }

  test('is told by cookie and header, and as LiteFS does where that is wanted', () => {
    const seen = parsePositions('1&2:5:a');
    assert.deepEqual(seenHeaders(seen, { isSecure: true, txidDatabase: 'a' }), [
      'Set-Cookie',
      '__skein_pos=1&2:5:a; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure',
      'Skein-Position',
      '1&2:5:a',
      'Set-Cookie',
      '__txid=0000000000000005; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure',
    ]);
  });
});
