import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isServed, mayBeMade, targetOf } from './database-names.ts';

describe('targetOf()', () => {
  test('finds the database in the path, decoded, or takes the default', () => {
    const pipeline = (database: string | undefined) => ({ kind: 'pipeline', database });
    assert.deepEqual(targetOf('/v2/pipeline', 'app.db'), pipeline('app.db'));
    assert.deepEqual(targetOf('/v2/pipeline', undefined), pipeline(undefined));
    assert.deepEqual(targetOf('/db/a%20b.db/v2/pipeline', 'app.db'), pipeline('a b.db'));
    assert.deepEqual(targetOf('/db/%E0%A4/v2/pipeline', 'app.db'), pipeline(undefined));
    assert.deepEqual(targetOf('/db/x/v2', 'app.db'), { kind: 'version', database: 'x' });
    assert.deepEqual(targetOf('/health', 'app.db'), { kind: 'health' });
    for (const path of ['/', '/v3/pipeline', '/db//v2/pipeline', '/db/x/y/v2/pipeline', '/v2/']) {
      const { kind } = targetOf(path, 'app.db');
      assert.equal(kind, path === '/v2/' ? 'version' : 'unknown', path);
    }
  });
});

describe('isServed()', () => {
  const all = { database: undefined, databases: undefined };

  test('takes names of files, and no way out of the folder', () => {
    for (const name of ['app.db', 'a b', 'ä', 'a..b', '-wal.db', 'x'.repeat(243)]) {
      assert.ok(isServed(name, all), name);
    }
    const faults = ['', '.', '..', '.a', '../a', 'a/b', 'a\\b', 'a\0', 'a\n', 'x'.repeat(244)];
    const companions = ['a-wal', 'a-shm', 'a-journal', 'a-pos', 'a-mj012345678'];
    for (const name of [...faults, ...companions]) assert.ok(!isServed(name, all), name);
  });

  test('keeps to the list, with the default database', () => {
    const some = { database: 'app.db', databases: ['other.db'] };
    assert.ok(isServed('app.db', some) && isServed('other.db', some));
    assert.ok(!isServed('third.db', some));
    assert.ok(mayBeMade('app.db', some) && mayBeMade('other.db', some));
    assert.ok(!mayBeMade('third.db', { ...all, database: 'app.db' }));
  });
});
