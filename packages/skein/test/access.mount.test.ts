// access(2) on the mount says what an open would: programs ask before they try.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';

import { AS_NOBODY, requirePart } from '@skein/testkit';

import { connect } from './clients.ts';
import { startNode } from './test-node.ts';

/** `flag` as test(1) has it: -r or -w. */
function mayNobody(flag: string, path: string): boolean {
  const [program, ...args] = AS_NOBODY;
  return spawnSync(program, [...args, 'test', flag, path]).status === 0;
}

test('access() goes by the mode of a file', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'setpriv')) return;
  const node = await startNode(t, { config: { allowOther: true } });
  chmodSync(node.folder, 0o755);
  const path = node.path('app.db');
  const db = await connect(t, path);
  await db.exec('CREATE TABLE t (x)');
  await db.close();
  const chmod = (mode: string): number | null => spawnSync('chmod', [mode, path]).status;

  assert.equal(chmod('644'), 0);
  assert.deepEqual([mayNobody('-r', path), mayNobody('-w', path)], [true, false]);
  assert.equal(chmod('666'), 0);
  assert.deepEqual([mayNobody('-r', path), mayNobody('-w', path)], [true, true]);
  assert.equal(chmod('600'), 0);
  assert.deepEqual([mayNobody('-r', path), mayNobody('-w', path)], [false, false]);
});
