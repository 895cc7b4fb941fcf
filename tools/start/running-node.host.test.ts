import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { nodeFileLocks } from '@skein/host';
import { tempDir } from '@skein/testkit';

import { findRunningNode, maybeTellRunning } from './running-node.ts';

test('findRunningNode() finds the node whose data folder is locked', (t) => {
  const home = tempDir(t);
  assert.equal(findRunningNode(join(home, 'missing')), undefined);
  writeFileSync(join(home, 'demo.json'), '{}');
  for (const name of ['node1', 'node2']) {
    mkdirSync(join(home, name, 'data'), { recursive: true });
    writeFileSync(join(home, name, 'data', 'lock'), '');
  }
  assert.equal(findRunningNode(home), undefined);
  const fd = openSync(join(home, 'node2', 'data', 'lock'), 'r+');
  assert.ok(nodeFileLocks.tryLockFile(fd));
  assert.equal(findRunningNode(home), 'node2');
  assert.match(maybeTellRunning(home)!, /^node2 runs already, in .*--folder$/);
  closeSync(fd);
  assert.equal(findRunningNode(home), undefined);
});
