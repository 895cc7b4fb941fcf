import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '@skein/testkit';

const HELPER_THREAD = JSON.stringify(new URL('helper-thread.ts', import.meta.url).href);
const LIBC = JSON.stringify(new URL('syscalls/libc.ts', import.meta.url).href);

/** Loads for a while, and all that time is inside koffi. */
const LOADING = `
  import { libcFunction } from ${LIBC};
  import { helperThreadData } from ${HELPER_THREAD};
  for (const end = performance.now() + 300; performance.now() < end; ) {
    libcFunction('int getpid()');
  }
  helperThreadData();
`;

const PROCESS = `
  import { HelperThread } from ${HELPER_THREAD};
  const thread = new HelperThread(new URL('loading.mjs', import.meta.url), { name: 'x', data: {} });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
  thread.waitUntilLoaded();
  process.exit(7);
`;

test('a process may end as soon as it has waited for its threads', (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'loading.mjs'), LOADING);
  writeFileSync(join(folder, 'process.mjs'), PROCESS);
  const command = ['--conditions=@skein/source', 'process.mjs'];
  const { status, stderr } = spawnSync(process.execPath, command, {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 7, stderr);
});
