import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { onTestEnd, tempDir } from '@skein/testkit';

import { FileError } from './errors.ts';
import { holdStill } from './source-file.ts';

/** Its content does not matter to whoever asks what is beside it. */
function write(t: TestContext, path: string): string {
  const file = join(tempDir(t), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'SQLite format 3');
  return file;
}

function assertComplete(t: TestContext, file: string): void {
  onTestEnd(t, holdStill(file));
}

function assertPartIn(file: string, companion: string, cure: RegExp): void {
  const isRefusal = (error: unknown): boolean => {
    assert.ok(error instanceof FileError);
    assert.match(error.message, new RegExp(`a part of it may be in ${companion}$`));
    assert.match(error.hint ?? '', cure);
    return true;
  };
  assert.throws(() => holdStill(file), isRefusal);
}

describe('holdStill()', () => {
  test('takes a file with nothing beside it, or with what SQLite does not read', (t) => {
    const file = write(t, 'app.db');
    assertComplete(t, file);
    writeFileSync(`${file}-wal`, '');
    writeFileSync(`${file}-journal`, new Uint8Array(512));
    assertComplete(t, file);
  });

  test('refuses one whose WAL or journal has a part of it', (t) => {
    for (const [suffix, cure] of [
      ['-wal', /wal_checkpoint/],
      ['-journal', /quick_check/],
    ] as const) {
      const file = write(t, 'app.db');
      writeFileSync(file + suffix, 'content');
      assertPartIn(file, file + suffix, cure);
    }
  });

  test('knows what the files of a LiteFS data folder are called', (t) => {
    for (const companion of ['wal', 'journal']) {
      const file = write(t, 'dbs/app.db/database');
      const folder = dirname(file);
      mkdirSync(join(folder, 'ltx'));
      assertComplete(t, file);
      writeFileSync(join(folder, companion), 'content');
      assertPartIn(file, join(folder, companion), /database as app\.db, wal as app\.db-wal/);
    }
  });

  test('does not take every folder for one of LiteFS', (t) => {
    const file = write(t, 'mine/database');
    writeFileSync(join(dirname(file), 'wal'), 'content');
    assertComplete(t, file);
  });
});
