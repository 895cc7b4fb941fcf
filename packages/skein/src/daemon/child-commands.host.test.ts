import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { onTestEnd, RecordingLog, tempDir } from '@skein/testkit';

import type { MountConfig } from '../config/mount-config.ts';
import { ChildCommands, whereaboutsOf } from './child-commands.ts';

describe('ChildCommands', () => {
  test('runs one after the other, until one fails', async (t) => {
    const file = join(tempDir(t), 'trace');
    const append = (text: string): [string, string, string] => [
      'sh',
      '-c',
      `{ ${text}; } >> ${file}`,
    ];
    const commands = [append('echo 1'), append('echo 2; exit 7'), append('echo 3')];
    assert.equal(await new ChildCommands(new RecordingLog()).run(commands), 7);
    assert.equal(readFileSync(file, 'utf8'), '1\n2\n');
  });

  test('gives a command the environment, but for the secret of the cluster', async (t) => {
    const file = join(tempDir(t), 'environment');
    process.env['SKEIN_SECRET'] = 'a-secret-of-the-cluster';
    process.env['SKEIN_OTHER'] = 'something else';
    onTestEnd(t, () => {
      delete process.env['SKEIN_SECRET'];
      delete process.env['SKEIN_OTHER'];
    });
    await new ChildCommands(new RecordingLog()).run([['sh', '-c', `env > ${file}`]]);
    const environment = readFileSync(file, 'utf8');
    assert.match(environment, /^SKEIN_OTHER=something else$/m);
    assert.doesNotMatch(environment, /SKEIN_SECRET|a-secret/);
  });

  test('tells a command where its node is', async (t) => {
    const file = join(tempDir(t), 'environment');
    const config = {
      mountpoint: '/litefs',
      dataFolder: '/data',
      cluster: { name: 'node2', primary: { name: 'node1', urls: [] } },
      proxy: { database: 'app.db' },
    };
    const given = whereaboutsOf(config as unknown as MountConfig);
    await new ChildCommands(new RecordingLog(), given).run([['sh', '-c', `env > ${file}`]]);
    const lines = readFileSync(file, 'utf8').split('\n');
    for (const line of [
      'SKEIN_MOUNT_PATH=/litefs',
      'SKEIN_DATA_PATH=/data',
      'SKEIN_NODE_NAME=node2',
      'SKEIN_PRIMARY_HOSTNAME=node1',
      'SKEIN_DATABASE_NAME=app.db',
    ]) {
      assert.ok(lines.includes(line), line);
    }
    const alone = { ...config, cluster: undefined, proxy: undefined };
    const named = Object.keys(whereaboutsOf(alone as unknown as MountConfig));
    assert.deepEqual(named, ['SKEIN_MOUNT_PATH', 'SKEIN_DATA_PATH']);
  });

  test('starts nothing after it was told to stop', async (t) => {
    const file = join(tempDir(t), 'trace');
    const children = new ChildCommands(new RecordingLog());
    await children.stop('SIGTERM', 100);
    assert.equal(await children.run([['touch', file]]), 0);
    assert.throws(() => readFileSync(file), { code: 'ENOENT' });
  });
});
