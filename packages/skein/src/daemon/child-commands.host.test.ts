import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { onTestEnd, RecordingLog, tempDir } from '@skein/testkit';

import { ChildCommands } from './child-commands.ts';

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

  test('starts nothing after it was told to stop', async (t) => {
    const file = join(tempDir(t), 'trace');
    const children = new ChildCommands(new RecordingLog());
    await children.stop('SIGTERM', 100);
    assert.equal(await children.run([['touch', file]]), 0);
    assert.throws(() => readFileSync(file), { code: 'ENOENT' });
  });
});
