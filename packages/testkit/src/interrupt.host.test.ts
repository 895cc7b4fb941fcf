import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { waitUntil } from './cluster/wait-until.ts';
import { onTestEnd } from './test-cleanup.ts';

const WAIT_MS = 60_000;
const MODULE = fileURLToPath(new URL('interrupt.ts', import.meta.url));

/** Says when it can be interrupted, takes so long to put things away, and says so. */
const programOf = (tidyMs: number): string => `
  import { interruptSignal } from ${JSON.stringify(MODULE)};
  const alive = setInterval(() => {}, 1000);
  interruptSignal().addEventListener('abort', ({ target }) => {
    console.log(target.reason.message);
    setTimeout(() => { console.log('Put away'); clearInterval(alive); }, ${tidyMs});
  });
  console.log('Ready');
`;

async function startProgram(t: TestContext, tidyMs: number) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', programOf(tidyMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestEnd(t, () => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child.stdout, 'data');
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ended, output: () => output };
}

test('interruptSignal() lets a process put things away, also when the signal echoes', async (t) => {
  const { child, ended, output } = await startProgram(t, 500);
  child.kill('SIGINT');
  // Of another name, or the kernel would make one of both.
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  // Which of them comes first is the kernel's choice where both are there.
  assert.match(output(), /^Ready\nInterrupted by SIG(?:INT|TERM)\nPut away\n$/);
});

test('interruptSignal() ends a process that is asked a second time', async (t) => {
  const { child, ended, output } = await startProgram(t, 600_000);
  child.kill('SIGTERM');
  await waitUntil('it was interrupted', () => output().includes('Interrupted'), WAIT_MS);
  await sleep(1300);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(output(), 'Ready\nInterrupted by SIGTERM\n');
});
