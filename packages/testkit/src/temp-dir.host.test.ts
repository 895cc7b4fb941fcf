import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { findMount } from './mounts.ts';
import { requirePart } from './require-part.ts';
import { tempDir } from './temp-dir.ts';

async function ended(run: (path: string) => void): Promise<string> {
  const hooks: (() => Promise<void>)[] = [];
  const path = tempDir({ after: (hook) => hooks.push(hook) });
  run(path);
  for (const hook of hooks) await hook();
  return path;
}

describe('tempDir()', () => {
  test('is empty, and gone with its contents when the test is over', async () => {
    const path = await ended((path) => {
      assert.deepEqual(readdirSync(path), []);
      mkdirSync(join(path, 'a'));
      writeFileSync(join(path, 'a', 'file'), 'content');
    });
    assert.equal(existsSync(path), false);
  });

  test('takes down a mount that was left, but not what is behind it, and fails', async (t) => {
    if (!requirePart(t, 'root', 'mount')) return;
    const precious = tempDir(t);
    writeFileSync(join(precious, 'file'), 'content');
    let inner = '';
    const ending = ended((path) => {
      inner = join(path, 'mount');
      mkdirSync(inner);
      assert.equal(spawnSync('mount', ['--bind', precious, inner]).status, 0);
    });
    await assert.rejects(ending, /left mounts behind/);
    assert.equal(findMount(inner), undefined);
    assert.equal(existsSync(inner), false);
    assert.deepEqual(readdirSync(precious), ['file']);
  });
});
