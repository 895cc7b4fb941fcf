import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '@skein/testkit';

import { loadTree } from './tree.ts';

test('loadTree() reads what is tracked or would be, but nothing ignored or gone', (t) => {
  const root = tempDir(t);
  const git = (...args: readonly string[]): void => {
    execFileSync('git', args, { cwd: root, stdio: 'ignore' });
  };
  git('init');
  mkdirSync(join(root, 'deep'));
  writeFileSync(join(root, '.gitignore'), '*.log\n');
  writeFileSync(join(root, 'deep', 'tracked ä.md'), 'text');
  writeFileSync(join(root, 'gone.md'), 'text');
  writeFileSync(join(root, 'binary.db'), Uint8Array.of(65, 0, 66));
  git('add', '.');
  rmSync(join(root, 'gone.md'));
  writeFileSync(join(root, 'new.md'), 'new');
  writeFileSync(join(root, 'ignored.log'), 'log');
  assert.deepEqual(
    [...loadTree(root)].sort(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries({
      '.gitignore': '*.log\n',
      'binary.db': '',
      'deep/tracked ä.md': 'text',
      'new.md': 'new',
    }),
  );
});
