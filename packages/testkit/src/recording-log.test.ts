import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RecordingLog } from './recording-log.ts';

describe('RecordingLog', () => {
  test('keeps messages with their fields, those of with() too', () => {
    const log = new RecordingLog();
    log.with({ database: 'app.db', txid: 1n }).warn('Disk is full', { txid: 2n });
    log.info('Ready');
    assert.deepEqual(log.entries, [
      { level: 'warn', message: 'Disk is full', fields: { database: 'app.db', txid: 2n } },
      { level: 'info', message: 'Ready', fields: {} },
    ]);
  });

  test('expectOne() fails for none and for several', () => {
    const log = new RecordingLog();
    assert.throws(() => log.expectOne('error', /full/), /empty log/);
    log.error('Disk is full');
    assert.equal(log.expectOne('error', /full/).message, 'Disk is full');
    assert.throws(() => log.expectOne('warn', /full/), /error Disk is full/);
    log.error('Disk is full again');
    assert.throws(() => log.expectOne('error', /full/));
  });

  test('expectNone() names what was logged', () => {
    const log = new RecordingLog();
    log.expectNone('warn');
    log.warn('Slow disk');
    assert.throws(() => log.expectNone('warn'), /Slow disk/);
    log.expectNone('error');
  });
});
