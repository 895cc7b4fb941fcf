import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { hasPart, requirePart } from './require-part.ts';

/** No machine that runs these tests has a file of this name on its path. */
const noPath = { PATH: '/nonexistent' };

describe('requirePart()', () => {
  test('lets a test run when everything is there', () => {
    const skipped: unknown[] = [];
    assert.equal(requirePart({ skip: (reason) => skipped.push(reason) }), true);
    assert.deepEqual(skipped, []);
  });

  test('skips with the reason and the cure', () => {
    withEnvironment({ ...noPath, CI: undefined }, () => {
      const skipped: unknown[] = [];
      const isReady = requirePart({ skip: (reason) => skipped.push(reason) }, 'chromium');
      assert.equal(isReady, false);
      assert.deepEqual(skipped, ['This test needs chromium (apt-get install chromium)']);
    });
  });

  test('fails in CI instead', () => {
    withEnvironment({ ...noPath, CI: 'true' }, () => {
      assert.throws(() => requirePart({ skip: () => assert.fail('skipped') }, 'lz4'), /needs lz4/);
    });
  });

  test('hasPart() asks once', () => {
    const isPresent = hasPart('python3');
    withEnvironment(noPath, () => assert.equal(hasPart('python3'), isPresent));
  });
});

function withEnvironment(changes: Record<string, string | undefined>, run: () => void): void {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  try {
    run();
  } finally {
    process.env = before;
  }
}
