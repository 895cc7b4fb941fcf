import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { onTestEnd, requirePart } from '@skein/testkit';

import { MountError } from './error-numbers.ts';
import { checkAccess, MAY_WRITE } from './permissions.ts';

describe('checkAccess()', () => {
  test('finds the groups of a process that its request does not carry', async (t) => {
    if (!requirePart(t, 'root')) return;
    const client = spawn('setpriv', ['--groups', '4321', 'cat'], { stdio: 'pipe' });
    onTestEnd(t, () => {
      client.kill('SIGKILL');
    });
    // It has its groups when it answers.
    client.stdin.write('x');
    await once(client.stdout, 'data');

    const caller = { uid: 1002, gid: 1002, pid: client.pid! };
    checkAccess(caller, { uid: 1, gid: 4321, mode: 0o060 }, MAY_WRITE);
    assert.throws(
      () => checkAccess(caller, { uid: 1, gid: 4322, mode: 0o060 }, MAY_WRITE),
      MountError,
    );
  });
});
