// Full-text search in a random workload: one FTS5 table, whose five tables behind the scenes change
// together and in large steps.

import type { SeededRandom } from '../seeded-random.ts';
import { randomText } from './rows.ts';
import type { Statement } from './schema.ts';

export const CREATE_SEARCH_INDEX: Statement = {
  sql: 'CREATE VIRTUAL TABLE search USING fts5 (body)',
  params: [],
};

export function changeSearchIndex(random: SeededRandom): Statement {
  return random.pick<() => Statement>([
    () => ({ sql: 'INSERT INTO search VALUES (?)', params: [randomText(random)] }),
    () => ({
      sql:
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) ' +
        "INSERT INTO search SELECT ? || ' ' || i FROM n",
      params: [random.int(1, 100), randomText(random)],
    }),
    () => ({ sql: 'DELETE FROM search WHERE body LIKE ?', params: [`%${random.int(0, 9)}`] }),
    () => ({ sql: 'SELECT count(*) FROM search (?)', params: ['goose'] }),
    () => ({ sql: "INSERT INTO search (search) VALUES ('optimize')", params: [] }),
  ])();
}
