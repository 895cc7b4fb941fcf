import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import {
  decodeSqlValue,
  encodeSqlValue,
  formatSqlLiteral,
  inlineParameters,
  integerValue,
  parseQuotedRows,
  type SqlValue,
} from './sql-value.ts';

const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true }).map((number) => number + 0),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integerValue),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
);

describe('SQL values', () => {
  test('come back from JSON as they were', () => {
    fc.assert(
      fc.property(value, (value) => {
        const json = JSON.stringify(encodeSqlValue(value));
        assert.deepEqual(decodeSqlValue(JSON.parse(json)), value === 0 ? 0 : value);
      }),
    );
  });

  test('come back from the output of the shell as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.array(value, { minLength: 1 })), (rows) => {
        const printed = rows.map((row) => `${row.map(printLikeShell).join(',')}\n`).join('');
        assert.deepEqual(parseQuotedRows(printed), rows);
      }),
    );
  });

  test('parseQuotedRows() refuses what is no row', () => {
    assert.throws(() => parseQuotedRows("1,'open"), /Not a quoted row/);
    assert.throws(() => parseQuotedRows('1,'), /newline/);
    assert.throws(() => parseQuotedRows('1'), /Not a quoted row/);
  });

  test('formatSqlLiteral() keeps types apart', () => {
    assert.equal(formatSqlLiteral(null), 'NULL');
    assert.equal(formatSqlLiteral("it's"), "'it''s'");
    assert.equal(formatSqlLiteral(Uint8Array.of(0, 255)), "x'00ff'");
    assert.equal(formatSqlLiteral(-7n), '-7');
    assert.equal(formatSqlLiteral(2 ** 53), '9007199254740992.0');
    assert.equal(formatSqlLiteral(1e300), '1e+300');
    assert.equal(formatSqlLiteral(-Infinity), '-9e999');
    assert.equal(formatSqlLiteral('a\0b'), "('a'||char(0)||'b')");
    assert.throws(() => formatSqlLiteral(Number.NaN), /NaN/);
  });

  test('inlineParameters() knows a parameter from a question mark', () => {
    const sql = `SELECT ?, '? it''s', "?""", ? -- ?\n, /* ? */ ?`;
    assert.equal(
      inlineParameters(sql, [1, 'two', null]),
      `SELECT 1, '? it''s', "?""", 'two' -- ?\n, /* ? */ NULL`,
    );
    assert.throws(() => inlineParameters('SELECT ?', []), /few/);
    assert.throws(() => inlineParameters('SELECT 1', [1]), /many/);
  });
});

function printLikeShell(value: SqlValue): string {
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`;
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (value === Infinity || value === -Infinity) return value > 0 ? 'Inf' : '-Inf';
  return formatSqlLiteral(value);
}
