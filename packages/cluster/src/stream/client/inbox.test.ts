import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Inbox } from './inbox.ts';

const never = new AbortController().signal;

function transaction(byteCount: number): Parameters<Inbox['addTransaction']>[0] {
  return { database: 'a', epoch: 1, bytes: new Uint8Array(byteCount) };
}

describe('Inbox', () => {
  test('puts transactions together that came while nobody asked, up to a limit', async () => {
    const inbox = new Inbox();
    for (let count = 0; count < 10; count += 1) inbox.addTransaction(transaction(1024 * 1024));
    const counts: number[] = [];
    for (let rest = 10; rest > 0;) {
      const item = await inbox.next(never);
      assert.ok(item.kind === 'transactions');
      counts.push(item.transactions.length);
      rest -= item.transactions.length;
    }
    assert.deepEqual(counts, [4, 4, 2]);
  });

  test('keeps the order of transactions and files', async () => {
    const inbox = new Inbox();
    inbox.addTransaction(transaction(1));
    inbox.add({ kind: 'file-bytes', bytes: new Uint8Array(1) });
    inbox.addTransaction(transaction(2));
    inbox.add({ kind: 'end' });
    const kinds: string[] = [];
    for (let index = 0; index < 4; index += 1) kinds.push((await inbox.next(never)).kind);
    assert.deepEqual(kinds, ['transactions', 'file-bytes', 'transactions', 'end']);
  });

  test('is full when much has come, and not any more when it was taken', async () => {
    const inbox = new Inbox();
    inbox.addTransaction(transaction(3 * 1024 * 1024));
    assert.ok(!inbox.isFull);
    inbox.add({ kind: 'file-bytes', bytes: new Uint8Array(2 * 1024 * 1024) });
    assert.ok(inbox.isFull);
    await inbox.next(never);
    assert.ok(!inbox.isFull);
  });

  test('wakes who waits, and lets go at the signal', async () => {
    const inbox = new Inbox();
    const next = inbox.next(never);
    inbox.add({ kind: 'ready' });
    assert.equal((await next).kind, 'ready');
    const abort = new AbortController();
    const waiting = inbox.next(abort.signal);
    abort.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
  });
});
