import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Job, Jobs } from './jobs.ts';

describe('Jobs', () => {
  test('ends a job that waits for another one once, in the very step that ends the other', () => {
    const jobs = new Jobs();
    const ended: string[] = [];
    const inner = function* inner(): Job<void> {
      yield;
      ended.push('inner');
    };
    const outer = function* outer(): Job<void> {
      yield jobs.run(inner());
      ended.push('outer');
    };
    jobs.run(outer())!.onSettled(() => ended.push('settled'));
    jobs.step();
    assert.deepEqual(ended, ['inner', 'outer', 'settled']);
    assert.equal(jobs.hasWork, false);
  });
});
