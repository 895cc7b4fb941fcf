import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { splitStatements } from './split.ts';
import { tokenize } from './tokens.ts';

function values(sql: string): string[] {
  return tokenize(sql).map(({ value }) => value);
}

test('tokenize() knows words, quoted names, strings, numbers and comments', () => {
  assert.deepEqual(
    values(`SELECT "a""b", 'c''d' -- e ;\n FROM t /* f /* g */ ; */ WHERE x=1.5e3`),
    ['select', 'a"b', ',', `c'd`, 'from', 't', 'where', 'x', '=', '1.5e3'],
  );
  assert.deepEqual(values(`E'a\\'b;' $$c;$$ $t$d'$t$ x'ff' $1 $name ?`), [
    `a\\'b;`,
    'c;',
    `d'`,
    'ff',
    '$1',
    '$name',
    '?',
  ]);
});

test('tokenize() ends a word at every blank that DuckDB ends it at', () => {
  for (const blank of ['\u00a0', '\u2003', '\u200b', '\u2060', '\u3000', '\ufeff', '\v', '\f']) {
    assert.deepEqual(values(`sqlite_scan${blank}(`), ['sqlite_scan', '('], blank);
  }
});

test('tokenize() refuses what is not closed, names by code points, and a NUL', () => {
  for (const sql of [
    'SELECT 1 \0 FROM t',
    `SELECT 'a\0b'`,
    `'a`,
    `"a`,
    '/* a',
    '$$a',
    `E'a\\'`,
    `U&"\\0061"`,
    `u&'a'`,
  ]) {
    assert.throws(() => tokenize(sql), { code: 'LAKE_PARSE' }, sql);
  }
});

test('splitStatements() takes requests apart at the semicolons between statements only', () => {
  const pieces = splitStatements(`;; SELECT ';' ; -- a ; b\nSELECT $$;$$ /* ; */; SELECT ";" ;`);
  assert.deepEqual(
    pieces.map(({ sql }) => sql),
    [`SELECT ';'`, 'SELECT $$;$$', 'SELECT ";"'],
  );
});

test('tokens cover a text in order, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (sql) => {
      let tokens;
      try {
        tokens = tokenize(sql);
      } catch {
        return;
      }
      let at = 0;
      for (const { start, end } of tokens) {
        assert.ok(start >= at && end > start && end <= sql.length);
        at = end;
      }
    }),
  );
});
