import assert from 'node:assert/strict';
import { test } from 'node:test';

import Database from 'better-sqlite3';
import * as fc from 'fast-check';

import { readSchema } from '../database/schema.ts';
import { type ListTask, PAGE_ROWS, readPage } from './list-rows.ts';

/** Values of every type, many of them equal. */
const VALUE = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(0.5, 'a', 'B', 'b', ''),
  fc.constant(Buffer.from('a')),
);

test('readPage() shows each row once, in the order of SQLite, in both directions', () => {
  const database = new Database(':memory:');
  database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v, w TEXT COLLATE NOCASE NOT NULL)');
  const table = readSchema(database).get('t')!;
  const insert = database.prepare('INSERT INTO t (v, w) VALUES (?, ?)');
  const rows = fc.array(fc.tuple(VALUE, fc.constantFrom('a', 'A', 'b')), {
    minLength: PAGE_ROWS + 1,
    maxLength: 4 * PAGE_ROWS,
  });
  const order = fc.tuple(fc.constantFrom('v', 'w', 'id'), fc.boolean());
  fc.assert(
    fc.property(rows, order, (rows, [name, isDescending]) => {
      database.exec('DELETE FROM t');
      for (const row of rows) insert.run(...row);
      const direction = isDescending ? 'DESC' : 'ASC';
      const expected = database
        .prepare(`SELECT CAST(id AS TEXT) FROM t ORDER BY ${name} ${direction}, id ${direction}`)
        .pluck()
        .all() as string[];
      const column = table.columns.find((one) => one.name === name)!;
      const page = (page: ListTask['page']): ReturnType<typeof readPage> =>
        readPage(database, {
          table,
          columns: ['id'],
          conditions: [],
          order: { column, isDescending },
          page,
        });
      const forward: string[] = [];
      for (let at = page(undefined); ; at = page({ side: 'after', key: forward.at(-1)! })) {
        forward.push(...at.rows.map(({ key }) => key!));
        if (!at.hasNext) break;
      }
      assert.deepEqual(forward, expected);
      const back: string[] = [expected.at(-1)!];
      for (let isMore = true; isMore;) {
        const at = page({ side: 'before', key: back[0]! });
        back.unshift(...at.rows.map(({ key }) => key!));
        isMore = at.hasPrevious;
      }
      assert.deepEqual(back, expected);
    }),
    { numRuns: 30 },
  );
  database.close();
});
