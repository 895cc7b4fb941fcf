// The Python tests of skein_django, which need no node.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { installDjango } from './install-django.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'integrations', 'django');

test('skein_django passes its own tests', (t) => {
  const django = installDjango(t);
  if (django === undefined) return;
  const args = ['-W', 'error::UserWarning', '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'];
  const { status, stderr } = spawnSync('python3', args, {
    cwd: FOLDER,
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: django, PYTHONDONTWRITEBYTECODE: '1' },
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^Ran \d\d tests/m);
});
