import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { onTestEnd } from './test-cleanup.ts';

const MODULE = fileURLToPath(new URL('interrupt.ts', import.meta.url));

/** Says when it can be interrupted, takes two seconds to put things away, and says so. */
const PROGRAM = `
  import { interruptSignal } from ${JSON.stringify(MODULE)};
  const alive = setInterval(() => {}, 1000);
  interruptSignal().addEventListener('abort', ({ target }) => {
    console.log(target.reason.message);
    setTimeout(() => { console.log('Put away'); clearInterval(alive); }, 2000);
  });
  console.log('Ready');
`;

async function startProgram(t: TestContext) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
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
  const { child, ended, output } = await startProgram(t);
  child.kill('SIGINT');
  await sleep(300);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(output(), 'Ready\nInterrupted by SIGINT\nPut away\n');
});

test('interruptSignal() ends a process that is asked a second time', async (t) => {
  const { child, ended, output } = await startProgram(t);
  child.kill('SIGTERM');
  await sleep(1300);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(output(), 'Ready\nInterrupted by SIGTERM\n');
});
