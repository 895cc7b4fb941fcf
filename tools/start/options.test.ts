import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseStartOptions } from './options.ts';

const USUAL = {
  nodeCount: 3,
  port: 8001,
  isFresh: false,
  folder: undefined,
  isAdded: false,
  primary: 'node1',
  dissenters: new Map(),
};

test('parseStartOptions() takes three nodes from port 8001 on unless told otherwise', () => {
  assert.deepEqual(parseStartOptions([]), USUAL);
  assert.deepEqual(
    parseStartOptions(['--nodes', '5', '--port', '9000', '--fresh', '--folder', '/x']),
    { ...USUAL, nodeCount: 5, port: 9000, isFresh: true, folder: '/x' },
  );
  assert.deepEqual(parseStartOptions(['--add']), { ...USUAL, isAdded: true });
});

test('parseStartOptions() takes the primary of all nodes, or of one', () => {
  assert.equal(parseStartOptions(['--primary', 'node2']).primary, 'node2');
  assert.equal(parseStartOptions([], { PRIMARY_HOSTNAME: 'node3' }).primary, 'node3');
  assert.deepEqual(parseStartOptions(['--primary', 'node1:node2']), {
    ...USUAL,
    dissenters: new Map([['node1', 'node2']]),
  });
});

test('parseStartOptions() says what cannot be', () => {
  for (const nodes of ['0', '10', 'three']) {
    assert.throws(() => parseStartOptions(['--nodes', nodes]), /--nodes/);
  }
  for (const primary of ['node4', 'node1:node4', 'node4:node1', '']) {
    assert.throws(() => parseStartOptions(['--primary', primary]), /--primary/);
  }
  assert.throws(() => parseStartOptions(['--port', '65534']), /--port 65534 is too high/);
  assert.throws(() => parseStartOptions(['--what']), /--what/);
});
