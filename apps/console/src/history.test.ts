import assert from 'node:assert/strict';
import { test } from 'node:test';

import { QueryHistory } from './history.ts';

class FakeStorage {
  readonly values = new Map<string, string>();

  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }

  removeItem(key: string): void {
    this.values.delete(key);
  }
}

test('QueryHistory has the newest first, each once, and keeps them', () => {
  const storage = new FakeStorage();
  const history = new QueryHistory(storage);
  for (const sql of ['SELECT 1', 'SELECT 2', 'SELECT 1']) {
    history.add({ sql, at: 1, ms: 2, rowCount: 1 });
  }
  assert.deepEqual(
    history.entries.map(({ sql }) => sql),
    ['SELECT 1', 'SELECT 2'],
  );
  const again = new QueryHistory(storage);
  assert.deepEqual(again.entries, history.entries);
  again.clear();
  assert.deepEqual(new QueryHistory(storage).entries, []);
});

test('QueryHistory is bounded, and not put off by what it finds', () => {
  const storage = new FakeStorage();
  for (const text of ['{', '"x"', '[1, null, {"sql": 1}]']) {
    storage.setItem('skein-lake-history', text);
    assert.deepEqual(new QueryHistory(storage).entries, []);
  }
  const history = new QueryHistory(storage);
  for (let i = 0; i < 200; i += 1) history.add({ sql: String(i), at: 1, ms: 1, rowCount: 1 });
  assert.equal(history.entries.length, 100);
  assert.equal(history.entries[0]!.sql, '199');
});
