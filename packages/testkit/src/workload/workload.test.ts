import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createWorkload } from './workload.ts';

describe('createWorkload()', () => {
  test('is the same for the same seed and another for another', () => {
    assert.deepEqual(createWorkload({ seed: 5 }), createWorkload({ seed: 5 }));
    assert.notDeepEqual(createWorkload({ seed: 5 }), createWorkload({ seed: 6 }));
  });

  test('depends on nothing but the seed: no time, no chance in SQL', () => {
    const words = /\b(random\w*|now|date|time|datetime|julianday|current_\w+|rowid)\b/i;
    for (let seed = 0; seed < 30; seed += 1) {
      for (const { sql } of createWorkload({ seed })) {
        assert.doesNotMatch(sql.replaceAll('WITHOUT ROWID', ''), words);
      }
    }
  });

  test('keeps to the modes and the page size that it is given', () => {
    const steps = createWorkload({ seed: 1, length: 500, journalModes: ['wal'], pageSize: 4096 });
    const modes = steps.filter(({ sql }) => sql.includes('journal_mode'));
    assert.ok(modes.length > 1);
    assert.ok(modes.every(({ sql }) => sql.endsWith('wal')));
    assert.equal(steps[0]!.sql, 'PRAGMA page_size = 4096');
  });

  test('ends with nothing open', () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const last = createWorkload({ seed, length: 40 }).at(-1)!;
      assert.deepEqual(last, { sql: 'PRAGMA integrity_check', params: [], isSettled: true });
    }
  });
});
