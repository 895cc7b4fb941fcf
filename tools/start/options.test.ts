import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseStartOptions } from './options.ts';

test('parseStartOptions() takes three nodes from port 8001 on unless told otherwise', () => {
  assert.deepEqual(parseStartOptions([]), { nodeCount: 3, port: 8001, isFresh: false });
  assert.deepEqual(parseStartOptions(['--nodes', '5', '--port', '9000', '--fresh']), {
    nodeCount: 5,
    port: 9000,
    isFresh: true,
  });
});

test('parseStartOptions() says what cannot be', () => {
  for (const nodes of ['0', '10', 'three']) {
    assert.throws(() => parseStartOptions(['--nodes', nodes]), /--nodes/);
  }
  assert.throws(() => parseStartOptions(['--port', '65534']), /--port 65534 is too high/);
  assert.throws(() => parseStartOptions(['--what']), /--what/);
});
