import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { EngineError } from '@skein/engine';
import { RecordingLog, SimClock } from '@skein/testkit';

import { Refusals } from './refusals.ts';

function make(): {
  readonly log: RecordingLog;
  readonly clock: SimClock;
  readonly refusals: Refusals;
  readonly primary: { name: string | undefined };
} {
  const log = new RecordingLog();
  const clock = new SimClock();
  const primary: { name: string | undefined } = { name: 'node1' };
  const refusals = new Refusals({ log, clock, primaryName: () => primary.name });
  return { log, clock, refusals, primary };
}

describe('Refusals', () => {
  test('tells the same reason once in ten seconds, and other reasons at once', () => {
    const { log, clock, refusals } = make();
    const report = (message: string): void =>
      refusals.report(new EngineError('LOG_FAILED', message, { hint: 'Look' }));
    for (let n = 0; n < 5; n++) report('one');
    report('other');
    assert.deepEqual(
      log.entries.map(({ message }) => message),
      ['one', 'other'],
    );
    clock.advance(10_000);
    report('one');
    assert.equal(log.entries.length, 3);
  });

  test('tells of a replica once for each primary: every reader tries to write', () => {
    const { log, clock, refusals, primary } = make();
    const report = (): void =>
      refusals.report(new EngineError('REPLICA_READ_ONLY', 'Cannot write app.db'));
    report();
    clock.advance(1_000_000);
    report();
    primary.name = 'node2';
    report();
    assert.deepEqual(
      log.entries.map(({ level, fields }) => [level, fields?.['primary']]),
      [
        ['info', 'node1'],
        ['info', 'node2'],
      ],
    );
  });

  test('leaves what the mount refuses by itself to the client', () => {
    const { log, refusals } = make();
    refusals.report(new Error('ENOENT'));
    assert.equal(log.entries.length, 0);
  });
});
