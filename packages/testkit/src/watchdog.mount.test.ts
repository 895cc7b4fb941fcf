import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { detachMount, findMount } from './mounts.ts';
import { requirePart } from './require-part.ts';
import { tempDir } from './temp-dir.ts';
import { onTestEnd } from './test-cleanup.ts';
import { watchMounts } from './watchdog.ts';

/** A mount whose daemon never answers anything. */
function mountDeaf(t: TestContext, folder: string): string {
  const path = join(folder, 'mount');
  mkdirSync(path);
  const device = openSync('/dev/fuse', 'r+');
  onTestEnd(t, () => {
    const mount = findMount(path);
    if (mount !== undefined) detachMount(mount);
    closeSync(device);
  });
  const options = 'fd=3,rootmode=40755,user_id=0,group_id=0';
  const args = ['-i', '-t', 'fuse.skein-test', '-o', options, 'deaf', path];
  const stdio = ['ignore', 'inherit', 'inherit', device] as const;
  assert.equal(spawnSync('mount', args, { stdio: [...stdio] }).status, 0);
  return path;
}

/** A scope whose end the test decides. */
function scope(): { after: (hook: () => Promise<void>) => void; end: () => Promise<void> } {
  const hooks: (() => Promise<void>)[] = [];
  return {
    after: (hook) => void hooks.push(hook),
    end: async () => {
      for (const hook of hooks) await hook();
    },
  };
}

describe('watchMounts()', () => {
  test('frees a client that hangs while the test is blocked, and tells who it was', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'mount')) return;
    const folder = tempDir(t);
    const inner = scope();
    const path = mountDeaf(t, folder);
    watchMounts(inner, folder, 3000);
    // Without the watchdog nothing ends this but the time limit, which cannot kill the client.
    const client = spawnSync('ls', ['-l', path], { timeout: 120_000, killSignal: 'SIGTERM' });
    assert.notEqual(client.status, 0);
    assert.match(String(client.stderr), /not connected|abort|closed/i);
    await assert.rejects(inner.end(), (error: Error) => {
      assert.match(error.message, /^Aborted the mount after 3000 ms/);
      assert.match(error.message, new RegExp(`${path} \\(fuse.skein-test\\): \\d+ requests wait`));
      assert.match(error.message, /waits in \w*fuse\w*|waits in request_wait_answer/);
      return true;
    });
  });

  test('leaves a test alone that ends in time, and mounts elsewhere', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'mount')) return;
    const inner = scope();
    watchMounts(inner, tempDir(t), 60_000);
    const path = mountDeaf(t, tempDir(t));
    await inner.end();
    assert.equal(findMount(path)?.type, 'fuse.skein-test');
  });
});
