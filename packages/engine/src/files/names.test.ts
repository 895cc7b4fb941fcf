import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DATABASE_NAME_BYTES_MAX, findNameFault, parseFileName } from './names.ts';

describe('parseFileName()', () => {
  const cases: ReadonlyArray<readonly [name: string, kind: string, database: string]> = [
    ['app.db', 'database', 'app.db'],
    ['app.db-journal', 'journal', 'app.db'],
    ['app.db-wal', 'wal', 'app.db'],
    ['app.db-shm', 'shm', 'app.db'],
    ['app.db-pos', 'position', 'app.db'],
    ['app.db-mj0A1B2C9D3', 'super-journal', 'app.db'],
    ['app.db-mj0A1B2C8D3', 'database', 'app.db-mj0A1B2C8D3'],
    ['-wal', 'database', '-wal'],
    ['.app.db.x7', 'staging', '.app.db.x7'],
    ['a-wal-journal', 'journal', 'a-wal'],
  ];
  for (const [name, kind, database] of cases) {
    test(`takes ${name} for a ${kind}`, () => {
      assert.deepEqual(parseFileName(name), { kind, database });
    });
  }
});

describe('findNameFault()', () => {
  test('accepts what leaves room for the names of companions', () => {
    assert.equal(findNameFault('ä'.repeat(DATABASE_NAME_BYTES_MAX / 2)), undefined);
    assert.match(findNameFault('ä'.repeat(DATABASE_NAME_BYTES_MAX / 2 + 1))!, /244 bytes/);
  });

  test('says what is wrong', () => {
    const faults = ['', '.', '..', 'a/b', '.a', 'a\n', 'a\ufffd', 'a-wal', 'a-pos'].map(
      findNameFault,
    );
    assert(faults.every((fault) => fault !== undefined));
  });
});
