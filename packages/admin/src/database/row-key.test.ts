import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import Database from 'better-sqlite3';
import * as fc from 'fast-check';

import { selectAll, type SqlValue } from './handle.ts';
import { keyCondition, keySql, parseKey, readKey } from './row-key.ts';
import { readSchema } from './schema.ts';

const PAIR = { kind: 'columns', names: ['a', 'b'] } as const;

describe('row keys', () => {
  test('name every row by values of any type, and find it again', () => {
    const database = new Database(':memory:');
    database.exec('CREATE TABLE t (a NOT NULL, b NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID');
    const value = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0')),
      fc.uint8Array({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(value, value, (a: SqlValue, b: SqlValue) => {
        database.exec('DELETE FROM t');
        database.prepare('INSERT INTO t VALUES (?, ?), (0.5, ?)').run(a, b, 'other');
        const table = readSchema(database).get('t')!;
        const rows = selectAll(database, `SELECT ${keySql(table.identity!)} FROM t`);
        const keys = rows.map((row) => readKey(row, table.identity!)!);
        assert.equal(new Set(keys).size, 2);
        for (const key of keys) {
          assert.match(key, /^[\w.,@+-]+$/, 'nothing of it means anything in an address');
          const found = selectAll(
            database,
            `SELECT ${keySql(PAIR)} FROM t WHERE ${keyCondition(PAIR)}`,
            ...parseKey(key, PAIR)!,
          );
          assert.deepEqual(
            found.map((row) => readKey(row, PAIR)),
            [key],
          );
        }
      }),
    );
    database.close();
  });

  test('are parsed strictly', () => {
    const identity = { kind: 'columns', names: ['id'] } as const;
    for (const text of [
      '',
      '+1',
      '01',
      '-0',
      '1e3',
      '1.5',
      '0x10',
      '9223372036854775808',
      '@1',
      't-',
      't-a b',
      'u-YWJj',
      'u-YQ==',
      'x-f',
      'x-FF',
      'r',
      'rNaN',
      "t-a'",
      '1,2',
      '1'.repeat(3000),
    ]) {
      assert.equal(parseKey(text, identity), undefined, text.slice(0, 30));
    }
    assert.deepEqual(parseKey('9223372036854775807', identity), [9223372036854775807n]);
    assert.deepEqual(parseKey('@7', { kind: 'rowid', names: ['rowid'] }), [7n]);
    assert.equal(parseKey('7', { kind: 'rowid', names: ['rowid'] }), undefined);
  });
});
