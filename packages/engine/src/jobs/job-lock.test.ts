import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { holdAll, JobLock } from './job-lock.ts';
import { type Job, Jobs } from './jobs.ts';

/** A job of three steps that writes down when it begins and ends. */
function* recorded(name: string, log: string[], failsAtEnd = false): Job<void> {
  log.push(`${name} begins`);
  yield;
  yield;
  log.push(`${name} ends`);
  if (failsAtEnd) throw new Error(name);
}

function runAll(jobs: Jobs): void {
  for (let n = 0; jobs.hasWork; n++) {
    assert(n < 100, 'The jobs never end');
    jobs.step();
  }
}

describe('JobLock', () => {
  test('lets jobs run one behind the other, also when one fails', () => {
    const jobs = new Jobs();
    const lock = new JobLock();
    const log: string[] = [];
    const failures: (string | undefined)[] = [];
    for (const name of ['a', 'b', 'c']) {
      const ended = jobs.run(lock.hold(recorded(name, log, name === 'b')));
      ended!.onSettled((error) => failures.push(error?.message));
    }
    runAll(jobs);
    const expected = ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]);
    assert.deepEqual(log, expected);
    assert.deepEqual(failures, [undefined, 'b', undefined]);
    assert.notEqual(jobs.run(lock.hold(recorded('d', log))), undefined);
    assert.equal(log.at(-1), 'd begins');
  });

  test('takes several locks, and gives all of them back', () => {
    const jobs = new Jobs();
    const locks = [new JobLock(), new JobLock()];
    const log: string[] = [];
    jobs.run(locks[1]!.hold(recorded('single', log)));
    jobs.run(holdAll(locks, recorded('both', log)));
    jobs.run(locks[0]!.hold(recorded('last', log)));
    runAll(jobs);
    const order = ['single', 'both', 'last'];
    assert.deepEqual(
      log,
      order.flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });
});
