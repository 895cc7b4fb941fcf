// What the kernel keeps from a lake whose checks have a hole.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { RecordingLog, skipTest, SOURCE_FLAGS, tempDir } from '@skein/testkit';

import { provideExtensions } from '../src/store/extensions.ts';
import { EXTENSIONS_CACHE } from './real-engine.ts';

const PROGRAM = join(import.meta.dirname, 'confined-reader.ts');

test('a missed check reads nothing outside of the folders of the lake', async (t) => {
  const folder = tempDir(t);
  const [own, other] = [join(folder, 'own'), join(folder, 'other')];
  for (const each of [own, other]) {
    mkdirSync(each);
    writeFileSync(join(each, 'a.csv'), 'a\n1\n');
    const database = new DatabaseSync(join(each, 'a.db'));
    database.exec('CREATE TABLE secrets AS SELECT 1 AS a');
    database.close();
  }
  const { sqliteScanner } = await provideExtensions({
    cacheFolder: EXTENSIONS_CACHE,
    needsHttpfs: false,
    log: new RecordingLog(),
  });
  const allowed = [
    `FROM '${own}/a.csv'`,
    `FROM sqlite_scan('${own}/a.db', 'secrets')`,
    `COPY (SELECT 1) TO '${own}/out.csv'`,
  ];
  const refused = [
    `FROM '${other}/a.csv'`,
    `FROM sqlite_scan('${other}/a.db', 'secrets')`,
    `COPY (SELECT 1) TO '${other}/out.csv'`,
    `FROM read_text('/etc/passwd')`,
    `FROM read_text('/etc/hostname')`,
    `FROM read_text('/proc/self/environ')`,
    `FROM read_text('/proc/1/cmdline')`,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...SOURCE_FLAGS,
    PROGRAM,
    own,
    sqliteScanner,
    ...allowed,
    ...refused,
  ]);
  if (stdout === 'the kernel cannot\n') {
    skipTest(t, 'This test needs Landlock (a kernel that has it, and lsm=landlock)');
    return;
  }
  const lines = [
    ...allowed.map((sql) => `read ${sql}\n`),
    ...refused.map((sql) => `refused ${sql}\n`),
  ];
  assert.equal(stdout, lines.join(''));
});
