import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { findMount } from '../mounts.ts';
import { requirePart } from '../require-part.ts';
import { tempDir } from '../temp-dir.ts';
import { askDaemon } from './ask-daemon.ts';
import { type DaemonOptions, residentBytes, startDaemon } from './daemon.ts';

function optionsFor(t: TestContext): DaemonOptions {
  const folder = tempDir(t);
  return {
    mountpoint: join(folder, 'mount'),
    dataFolder: join(folder, 'data'),
    logPath: join(folder, 'daemon.log'),
  };
}

test('startDaemon() gives a mount that clients can use, until stop()', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'sqlite3')) return;
  const options = optionsFor(t);
  const daemon = await startDaemon(options);
  const path = join(daemon.mountpoint, 'a.db');
  assert.equal(spawnSync('sqlite3', [path, 'CREATE TABLE t (x)']).status, 0);
  assert.match(await askDaemon(daemon.dataFolder, '/v1/status'), /"a\.db"/);
  assert(residentBytes(daemon.pid) > 10_000_000);
  assert(daemon.isServing());
  await daemon.stop();
  await daemon.ended;
  assert(!daemon.isServing());
  assert.equal(findMount(daemon.mountpoint), undefined);
  await assert.rejects(askDaemon(daemon.dataFolder, '/v1/status'));
});

test('startDaemon() is not taken in by another daemon on the same data', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const options = optionsFor(t);
  await using first = await startDaemon(options);
  const other = { ...options, mountpoint: `${options.mountpoint}2` };
  await assert.rejects(startDaemon(other), /ended at its start:\n.*/s);
  assert(first.isServing());
});

test('startDaemon() leaves alone what is mounted there by another', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const options = optionsFor(t);
  await using first = await startDaemon(options);
  const other = { ...options, dataFolder: `${options.dataFolder}2` };
  await assert.rejects(startDaemon(other), /ended at its start:\n.*/s);
  assert(first.isServing());
});

test('startDaemon() says why there is no daemon, and leaves no mount', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const options = { ...optionsFor(t), args: ['--what'] };
  await assert.rejects(startDaemon(options), /ended at its start:\n.*--what/s);
  assert(existsSync(options.mountpoint));
  assert.equal(findMount(options.mountpoint), undefined);
});

test('A daemon that is killed leaves no mount, and can be started again', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'sqlite3')) return;
  const options = optionsFor(t);
  const daemon = await startDaemon(options);
  spawnSync('sqlite3', [join(daemon.mountpoint, 'a.db'), 'CREATE TABLE t (x)']);
  await daemon.kill();
  assert(!daemon.isServing());
  assert.equal(findMount(daemon.mountpoint), undefined);
  await using again = await startDaemon(options);
  const { stdout } = spawnSync('sqlite3', [join(again.mountpoint, 'a.db'), '.tables']);
  assert.match(stdout.toString(), /t/);
});

test('startDaemon() runs the daemon by a command', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  await using daemon = await startDaemon({ ...optionsFor(t), prefix: ['nice', '-n', '3'] });
  const [, fields] = readFileSync(`/proc/${daemon.pid}/stat`, 'latin1').split(') ');
  // The 19th field is the nice value, the third the first behind the name: proc_pid_stat(5).
  assert.equal(fields!.split(' ')[16], '3');
});
