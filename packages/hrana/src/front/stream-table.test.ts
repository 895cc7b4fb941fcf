import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type HeldStream, StreamTable } from './stream-table.ts';

function createTable(idleMs = 60_000): { table: StreamTable; expired: HeldStream[] } {
  const expired: HeldStream[] = [];
  const table = new StreamTable({
    sizeMax: 2,
    idleMs,
    onExpired: (stream) => expired.push(stream),
    randomBytes: (count) => Buffer.alloc(count, 7),
  });
  return { table, expired };
}

const stream = (id: number): HeldStream => ({ id, database: 'app.db', place: { kind: 'local' } });

describe('StreamTable', () => {
  test('takes each baton once', () => {
    const { table } = createTable();
    const held = stream(table.nextId());
    const first = table.keep(held);
    assert.equal(table.take(first, 'app.db').id, held.id);
    assert.throws(() => table.take(first, 'app.db'), { code: 'STREAM_EXPIRED' });
    const second = table.rest(held);
    assert.throws(() => table.take(first, 'app.db'), { code: 'STREAM_EXPIRED' });
    assert.equal(table.take(second, 'app.db').id, held.id);
    table.end(held);
    assert.equal(table.size, 0);
  });

  test('takes no baton of another stream, of another database, or made up', () => {
    const { table } = createTable();
    const baton = table.keep(stream(1));
    for (const wrong of ['', '1', baton.replaceAll('7', '8'), `2${baton.slice(1)}`, `${baton}0`]) {
      assert.throws(() => table.take(wrong, 'app.db'), { code: 'STREAM_EXPIRED' }, wrong);
    }
    assert.throws(() => table.take(baton, 'other.db'), { code: 'STREAM_EXPIRED' });
    table.end(table.take(baton, 'app.db'));
  });

  test('has an end', () => {
    const { table } = createTable();
    table.keep(stream(1));
    table.checkRoom();
    table.keep(stream(2));
    assert.throws(() => table.checkRoom(), { code: 'STREAMS_FULL' });
    for (const each of table.resting()) table.end(each);
  });

  test('lets a stream go that nobody goes on with', async () => {
    const { table, expired } = createTable(1);
    const baton = table.keep(stream(1));
    while (expired.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.throws(() => table.take(baton, 'app.db'), { code: 'STREAM_EXPIRED' });
  });
});
