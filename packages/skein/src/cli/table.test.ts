import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { formatPairs, formatTable } from './table.ts';

describe('formatTable()', () => {
  test('lines columns up, numbers at the right', () => {
    const columns = [{ title: 'NAME' }, { title: 'SIZE', isNumber: true }, { title: 'MODE' }];
    const rows = [
      ['a.db', '5', 'wal'],
      ['longer.db', '12345', ''],
    ];
    assert.equal(
      formatTable(columns, rows),
      'NAME        SIZE  MODE\na.db           5  wal\nlonger.db  12345\n',
    );
  });

  test('shows the titles alone when there are no rows', () => {
    assert.equal(formatTable([{ title: 'NAME' }, { title: 'SIZE' }], []), 'NAME  SIZE\n');
  });
});

describe('formatPairs()', () => {
  test('lines values up', () => {
    assert.equal(
      formatPairs([
        ['node', 'A'],
        ['log', 'B'],
      ]),
      'node  A\nlog   B\n',
    );
  });
});
