// `npm start` as a new user meets it: it comes up, says what to try, shows what happens, and goes
// away without a trace at Ctrl-C; the data is there the next time.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { onTestEnd, requirePart, tempDir, waitUntil, watchMounts } from '@skein/testkit';

const ROOT = join(import.meta.dirname, '..', '..');
const RUN = join(ROOT, 'tools', 'run.mjs');
/** Three in a row, below those that the kernel hands out (ip_local_port_range). */
const PORT = 20_000 + (process.pid % 3000) * 3;
const TIMEOUT_MS = 120_000;
const UP_TIMEOUT_MS = 60_000;
const LINE_TIMEOUT_MS = 10_000;

interface Demo {
  readonly child: ChildProcess;
  /** All that it has printed. */
  readonly output: () => string;
}

async function startDemo(
  t: TestContext,
  folder: string,
  port: number,
  options: readonly string[] = ['--nodes', '2'],
): Promise<Demo> {
  const args = ['start', '--folder', folder, '--port', String(port), ...options];
  const child = spawn(process.execPath, [RUN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestEnd(t, async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  }
  const demo = { child, output: () => output };
  await waitForLine(demo, /Ctrl-C ends it/, UP_TIMEOUT_MS);
  return demo;
}

async function waitForLine(
  { child, output }: Demo,
  pattern: RegExp,
  timeoutMs = LINE_TIMEOUT_MS,
): Promise<void> {
  const isThere = (): boolean => {
    if (pattern.test(output())) return true;
    assert.equal(child.exitCode, null, output());
    return false;
  };
  await waitUntil(`it prints ${pattern}`, isThere, timeoutMs);
}

/** Ctrl-C. */
async function interrupt({ child, output }: Demo): Promise<void> {
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0, output());
}

test('npm start serves until Ctrl-C and goes on with its data', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const folder = tempDir(t);
  watchMounts(t, folder, TIMEOUT_MS);
  const first = await startDemo(t, folder, PORT);
  const door = `http://localhost:${PORT + 1}`;
  assert.match(first.output(), new RegExp(`node2 +replica +${door}`));
  const created = await fetch(`${door}/api/messages/create/`, {
    method: 'POST',
    body: '{"content": "Hello"}',
  });
  assert.equal(created.status, 201);
  await waitForLine(first, /node2 → node1: message 1 forwarded and written/);
  await waitForLine(first, /node2: has transaction \d+ of db\.sqlite3/);
  const anew = spawnSync(process.execPath, [RUN, 'start', '--folder', folder, '--fresh'], {
    encoding: 'utf8',
  });
  assert.deepEqual([anew.status, anew.stdout], [1, '']);
  assert.match(anew.stderr, /^node\d runs already, in .*\n$/);
  const third = await startDemo(t, folder, PORT, ['--add']);
  assert.match(third.output(), new RegExp(`node3 +replica +http://localhost:${PORT + 2}`));
  const added = await fetch(`http://localhost:${PORT + 2}/api/messages/`);
  assert.partialDeepStrictEqual(await added.json(), { message_count: 1, node_name: 'node3' });
  await interrupt(third);
  await interrupt(first);
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(folder));
  const second = await startDemo(t, folder, PORT);
  const listed = await fetch(`${door}/api/messages/`);
  assert.partialDeepStrictEqual(await listed.json(), { message_count: 1, node_name: 'node2' });
  await interrupt(second);
});
