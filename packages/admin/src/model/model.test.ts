import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import Database from 'better-sqlite3';

import type { Cell } from '../database/cells.ts';
import { readSchema, type Table } from '../database/schema.ts';
import { checkedChoices } from './choices.ts';
import { describeField, type Field } from './fields.ts';
import { humanName, kindOf } from './kinds.ts';
import { parseField } from './parse-form.ts';

function tableOf(columns: string): Table {
  const database = new Database(':memory:');
  database.exec(`CREATE TABLE t (${columns})`);
  const table = readSchema(database).get('t')!;
  database.close();
  return table;
}

function fieldOf(columns: string, cell?: Cell): Field {
  const table = tableOf(columns);
  return describeField(table, table.columns[0]!, cell);
}

test('kindOf() guesses from type and name', () => {
  const kinds = (columns: string): string[] => tableOf(columns).columns.map(kindOf);
  assert.deepEqual(
    kinds('a BOOLEAN, is_on INTEGER, created_at INTEGER, born DATE, at TEXT, data JSON, n INT'),
    ['boolean', 'boolean', 'epoch', 'date', 'datetime', 'json', 'integer'],
  );
  assert.deepEqual(kinds('name TEXT, note TEXT, s VARCHAR(30), l VARCHAR(999), b BLOB, x'), [
    'line',
    'text',
    'line',
    'text',
    'blob',
    'any',
  ]);
});

test('humanName() reads like words', () => {
  assert.equal(humanName('node_name'), 'Node name');
  assert.equal(humanName('createdAt'), 'Created At');
  assert.equal(humanName('_'), '_');
});

test('checkedChoices() finds plain lists and nothing else', () => {
  const table = tableOf(`
    a TEXT CHECK (a IN ('x', 'it''s', '')),
    "b c" INT CHECK ("b c" IN (1,-2)),
    d TEXT CHECK (d NOT IN ('no')),
    f TEXT CHECK (f IN ('x') OR f IS NULL)`);
  assert.deepEqual(checkedChoices(table, 'a'), ['x', "it's", '']);
  assert.deepEqual(checkedChoices(table, 'b c'), ['1', '-2']);
  assert.equal(checkedChoices(table, 'd'), undefined);
  assert.equal(checkedChoices(table, 'f'), undefined);
});

describe('fields', () => {
  test('say what an empty box means', () => {
    const meanings = (columns: string, cell?: Cell): readonly string[] =>
      fieldOf(columns, cell).emptyMeanings;
    const text = { kind: 'text', text: 'x', isCut: false, sizeBytes: 1 } as const;
    assert.deepEqual(meanings('a TEXT'), ['null', 'text']);
    assert.deepEqual(meanings('a TEXT NOT NULL'), ['text']);
    assert.deepEqual(meanings("a TEXT DEFAULT 'd'"), ['default', 'null', 'text']);
    assert.deepEqual(meanings("a TEXT DEFAULT 'd'", text), ['null', 'text']);
    assert.deepEqual(meanings('a INT NOT NULL'), []);
    assert.deepEqual(meanings('a INTEGER PRIMARY KEY'), ['default']);
    assert.deepEqual(meanings('a TEXT', { ...text, text: '', sizeBytes: 0 }), ['text', 'null']);
  });

  test('fall back to what can hold the value that is there', () => {
    const number = { kind: 'integer', text: '7' } as const;
    assert.equal(fieldOf('a BOOLEAN NOT NULL').control, 'checkbox');
    assert.equal(fieldOf('a BOOLEAN').control, 'select');
    assert.equal(fieldOf('a BOOLEAN NOT NULL', number).control, 'line');
    assert.equal(fieldOf('a DATE').control, 'date');
    assert.equal(fieldOf('a DATE', number).control, 'line');
    assert.equal(fieldOf('a TEXT', { kind: 'blob', sizeBytes: 3 }).control, 'file');
    for (const text of ['a\0b', 'a\rb']) {
      const cell = { kind: 'text', text, isCut: false, sizeBytes: 3 } as const;
      assert.equal(fieldOf('a TEXT', cell).control, 'fixed', JSON.stringify(text));
    }
  });
});

describe('parseField()', () => {
  const parse = (columns: string, typed: string, cell?: Cell): unknown => {
    const field = fieldOf(columns, cell);
    const parsed = parseField(field, new Map([[`v.${field.column.name}`, typed]]), cell);
    return parsed.kind === 'set' ? parsed.value : parsed.kind;
  };

  test('makes values of the type of the column', () => {
    assert.equal(parse('a INT', ' 42 '), 42n);
    assert.equal(parse('a INT', '-9223372036854775808'), -(2n ** 63n));
    assert.equal(parse('a INT', '9223372036854775808'), 'wrong');
    assert.equal(parse('a INT', '1.5'), 'wrong');
    assert.equal(parse('a REAL', '1e-3'), 0.001);
    assert.equal(parse('a REAL', 'Infinity'), 'wrong');
    assert.equal(parse('a DECIMAL', '1.10'), '1.10');
    assert.equal(parse('a TEXT', '42'), '42');
    assert.equal(parse('a TEXT', 'x\r\ny'), 'x\ny');
    assert.equal(parse('a JSON', '{"a": 1}'), '{"a": 1}');
    assert.equal(parse('a JSON', '{a: 1}'), 'wrong');
    assert.equal(parse('a', '42'), 42n);
    assert.equal(parse('a', '42', { kind: 'text', text: 'x', isCut: false, sizeBytes: 1 }), '42');
  });

  test('takes days that there are', () => {
    assert.equal(parse('a DATE', '2024-02-29'), '2024-02-29');
    assert.equal(parse('a DATE', '2023-02-29'), 'wrong');
    assert.equal(parse('a DATE', '2024-02-29 10:00'), 'wrong');
    assert.equal(parse('a DATETIME', '2024-02-29 10:00:00.5'), '2024-02-29 10:00:00.5');
    assert.equal(parse('a DATETIME', '2024-02-29T10:00:00Z'), '2024-02-29T10:00:00Z');
    assert.equal(parse('a DATETIME', '1700000000'), 1700000000n);
    assert.equal(parse('a_at TEXT', '1700000000'), 'wrong');
    assert.equal(parse('a DATETIME', 'yesterday'), 'wrong');
  });

  test('leaves alone what was not changed, whatever its type', () => {
    const odd = { kind: 'text', text: 'none', isCut: false, sizeBytes: 4 } as const;
    assert.equal(parse('a INT', 'none', odd), 'keep');
    assert.equal(parse('a INT', 'other', odd), 'wrong');
    assert.equal(parse('a REAL', '1.0', { kind: 'real', text: '1.0' }), 'keep');
    const lines = { kind: 'text', text: 'a\r\nb', isCut: false, sizeBytes: 4 } as const;
    assert.equal(parse('a TEXT', 'a\r\nb', lines), 'keep');
    assert.equal(parse('a TEXT', '', { kind: 'null' }), 'keep');
  });
});
