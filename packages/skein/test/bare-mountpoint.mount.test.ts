// Between two lives of a daemon its mountpoint is a folder like any other, in which clients that do
// not wait make files.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { onTestEnd, requirePart, skipTest } from '@skein/testkit';

import { connect } from './clients.ts';
import { startNode } from './test-node.ts';

describe('What clients leave in a mountpoint while nobody serves it', () => {
  test('does not disturb the next start if it is empty', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = await startNode(t);
    const writer = await connect(t, node.path('app.db'));
    await writer.exec('CREATE TABLE t (v)');
    await writer.kill();
    await node.stop();
    const early = await connect(t, node.path('app.db'));
    await assert.rejects(early.exec('SELECT v FROM t'), /no such table/);
    await early.kill();
    assert.deepEqual(readdirSync(node.mountpoint), ['app.db']);
    await node.start();
    const reader = await connect(t, node.path('app.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), []);
  });

  test('is named, not hidden, if somebody has written into it', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const node = await startNode(t);
    await node.stop();
    writeFileSync(node.path('app.db'), 'a write that was acknowledged');
    await assert.rejects(node.start(), /FUSE_MOUNTPOINT_NOT_EMPTY: .* has app\.db in it/);
  });

  test('is nothing if the bare folder is immutable', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const node = await startNode(t);
    await node.stop();
    const { status, stderr } = spawnSync('chattr', ['+i', node.mountpoint]);
    if (status !== 0) {
      skipTest(t, `chattr: ${String(stderr)}`);
      return;
    }
    onTestEnd(t, () => void spawnSync('chattr', ['-i', node.mountpoint]));
    assert.throws(() => writeFileSync(node.path('app.db'), ''), { code: 'EPERM' });
    await node.start();
    writeFileSync(node.path('app.db'), '');
    assert.ok(existsSync(node.path('app.db')));
    await node.stop();
    assert.deepEqual(readdirSync(node.mountpoint), []);
  });
});
