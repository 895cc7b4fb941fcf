import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { outlineOf, statementsOf } from './sql-text.ts';

describe('statementsOf()', () => {
  const cases: readonly (readonly [name: string, script: string, count: number])[] = [
    ['nothing', ' ; -- nothing;\n /* nothing; */ ;', 0],
    ['the last one without its semicolon', 'SELECT 1; SELECT 2', 2],
    ['a semicolon in a text', "SELECT ';'; SELECT 'it''s;'", 2],
    ['a semicolon in a name', 'SELECT 1 AS "a;b"; SELECT 1 AS `a;b`; SELECT 1 AS [a;b]', 3],
    ['a comment that does not end', 'SELECT 1 /* ; SELECT 2', 1],
    ['a text that does not end', "SELECT '; SELECT 2", 1],
    [
      'a trigger',
      'CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END;' +
        'SELECT 1',
      2,
    ],
    ['a temporary trigger', 'CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END', 1],
    [
      'a trigger that is explained',
      'EXPLAIN CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END;',
      1,
    ],
    ['a table named like a trigger', 'CREATE TABLE trigger_ (x); SELECT 1', 2],
  ];
  for (const [name, script, count] of cases) {
    test(`finds ${count} in ${name}`, () => {
      assert.equal(statementsOf(script).length, count);
    });
  }
});

describe('outlineOf()', () => {
  test('takes texts as long as requests may be', () => {
    const long = 'x'.repeat(4_000_000);
    for (const sql of [`SELECT '${long}', ?`, `SELECT "${long}", ?`, `SELECT /*${long}*/ ?`]) {
      assert.deepEqual(outlineOf(sql).parameters, ['?']);
    }
    const quotes = "''".repeat(1_000_000);
    assert.deepEqual(outlineOf(`SELECT '${quotes}', ?`).parameters, ['?']);
    assert.deepEqual(outlineOf(`SELECT /*${'* '.repeat(1_000_000)}*/ ?`).parameters, ['?']);
  });

  test('tells the first words, past comments, in capitals', () => {
    const { words } = outlineOf('-- x\n/* y */ begin transaction READONLY');
    assert.deepEqual(words, ['BEGIN', 'TRANSACTION', 'READONLY']);
  });

  test('numbers parameters as SQLite does', () => {
    const of = (sql: string): readonly (string | undefined)[] => outlineOf(sql).parameters;
    assert.deepEqual(of('SELECT \'?\', ":a", 1 -- ?\n'), []);
    assert.deepEqual(of('SELECT ?, ?'), ['?', '?']);
    assert.deepEqual(of('SELECT :a, @a, $a, :a'), [':a', '@a', '$a']);
    assert.deepEqual(of('SELECT ?3, ?'), [undefined, undefined, '?3', '?']);
    assert.deepEqual(of('SELECT :ä, $a::b(c)'), [':ä', '$a::b(c)']);
  });
});

test('Texts may be as long as a request', () => {
  const times = 7_000_000;
  for (const sql of [
    `SELECT '${"''".repeat(times)}', 1`,
    `SELECT "${'""'.repeat(times)}", 1`,
    `SELECT /*${'* '.repeat(times)}*/ 1`,
  ]) {
    assert.equal(statementsOf(`${sql}; SELECT 2`).length, 2);
    assert.deepEqual(outlineOf(sql), { words: ['SELECT'], parameters: [] });
  }
});
