// Compose files of the examples as Compose itself reads them, where it is installed; CI has none.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { readComposeFile } from '../lib/compose/compose-file.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FILES = globSync('examples/*/docker-compose.yml', { cwd: ROOT });

test('the runner reads the compose files of all examples', () => {
  assert(FILES.includes('examples/messages/docker-compose.yml'));
  for (const file of FILES) {
    const path = join(ROOT, file);
    assert.notEqual(readComposeFile(path, readFileSync(path, 'utf8')).services.size, 0, file);
  }
});

test('docker compose config accepts them, and finds the same services', (t) => {
  if (spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status !== 0) {
    // Also in CI: it comes with Docker's own packages alone.
    t.skip('There is no docker compose');
    return;
  }
  for (const file of FILES) {
    const path = join(ROOT, file);
    const args = ['compose', '--file', path, '--profile', '*', 'config', '--services'];
    const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const known = readComposeFile(path, readFileSync(path, 'utf8')).services;
    assert.deepEqual(stdout.trim().split('\n').sort(), [...known.keys()].sort());
  }
});
