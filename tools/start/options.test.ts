import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseStartOptions } from './options.ts';

test('parseStartOptions() takes three nodes from port 8001 on unless told otherwise', () => {
  const usual = { nodeCount: 3, port: 8001, isFresh: false, folder: undefined };
  assert.deepEqual(parseStartOptions([]), usual);
  assert.deepEqual(
    parseStartOptions(['--nodes', '5', '--port', '9000', '--fresh', '--folder', '/x']),
    {
      nodeCount: 5,
      port: 9000,
      isFresh: true,
      folder: '/x',
    },
  );
});

test('parseStartOptions() says what cannot be', () => {
  for (const nodes of ['0', '10', 'three']) {
    assert.throws(() => parseStartOptions(['--nodes', nodes]), /--nodes/);
  }
  assert.throws(() => parseStartOptions(['--port', '65534']), /--port 65534 is too high/);
  assert.throws(() => parseStartOptions(['--what']), /--what/);
});
