import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RequestCounts } from './request-counts.ts';
import { isWaitedFor, OPCODE, type OpcodeName, takesReply } from './wire/opcode.ts';

describe('RequestCounts', () => {
  test('counts by opcode, and the requests that are waited for', () => {
    const counts = new RequestCounts();
    for (const name of ['WRITE', 'WRITE', 'FSYNC', 'RELEASE', 'FORGET'] as const) {
      counts.count(OPCODE[name]);
    }
    assert.equal(counts.of('WRITE'), 2);
    assert.equal(counts.of('READ'), 0);
    assert.equal(counts.waitedFor, 3);
    assert.deepEqual(counts.snapshot(), { WRITE: 2, FSYNC: 1, RELEASE: 1, FORGET: 1 });
  });

  test('can be read through its memory', () => {
    const counts = new RequestCounts();
    const elsewhere = new RequestCounts(counts.memory);
    counts.count(OPCODE.LOOKUP);
    assert.equal(elsewhere.of('LOOKUP'), 1);
  });

  test('ignores an opcode that is not known', () => {
    const counts = new RequestCounts();
    counts.count(4096);
    assert.deepEqual(counts.snapshot(), {});
  });
});

describe('opcodes', () => {
  test('nobody waits for those that are sent in the background', () => {
    const names = Object.keys(OPCODE) as OpcodeName[];
    assert.deepEqual(
      names.filter((name) => !isWaitedFor(OPCODE[name])),
      ['FORGET', 'RELEASE', 'INIT', 'RELEASEDIR', 'INTERRUPT', 'NOTIFY_REPLY', 'BATCH_FORGET'],
    );
  });

  test('what takes no reply is not waited for', () => {
    for (const opcode of Object.values(OPCODE)) {
      if (!takesReply(opcode)) assert.equal(isWaitedFor(opcode), false);
    }
  });
});
