// The walk-through of examples/lake, command by command from its README, with what `npm run lake`
// runs. The weather comes from this machine.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { freePorts, onTestEnd, requirePart, tempDir, waitUntil, watchMounts } from '@skein/testkit';

import { type CommandResult, parseWalkthrough, runInShell, runStep } from '../lib/walkthrough.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const EXAMPLE = join(ROOT, 'examples', 'lake');
const TIMEOUT_MS = 900_000;
/** Extensions may have to be fetched first. */
const UP_TIMEOUT_MS = 600_000;
const CAMBRIDGE = 'https://www.cl.cam.ac.uk/research/dtg/weather/weather-raw.csv';

interface Demo {
  readonly output: () => string;
  readonly weatherUrl: string;
}

async function startDemo(t: TestContext, port: number): Promise<Demo> {
  const folder = join(realpathSync(tempDir(t)), 'lake');
  watchMounts(t, folder, TIMEOUT_MS);
  const options = ['--readers', '3', '--port', String(port), '--folder', folder, '--offline'];
  // What npm runs; npm itself does not hand on how it is ended.
  const child = spawn(process.execPath, [join(ROOT, 'tools', 'run.mjs'), 'lake', ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'exit');
  onTestEnd(t, async () => {
    child.kill('SIGTERM');
    await ended;
    assert.match(output, /Unmounted\. The data stays/);
  });
  const isUp = (): boolean => {
    if (child.exitCode !== null) throw new Error(`It has ended:\n${output}`);
    return output.includes('Ctrl-C ends it.');
  };
  await waitUntil('npm run lake serves', isUp, UP_TIMEOUT_MS);
  const [, weatherUrl = ''] = /LOCATION '([^']+)'/.exec(output)!;
  return { output: () => output, weatherUrl };
}

test('The README of examples/lake shows what happens', { timeout: TIMEOUT_MS }, async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'curl')) return;
  const [port] = await freePorts(1);
  const demo = await startDemo(t, port!);
  const scratch = tempDir(t);
  const run = (command: string): Promise<CommandResult> => {
    if (command.startsWith('npm run lake')) {
      const output = demo.output().replaceAll(`:${port}`, ':8080');
      return Promise.resolve({ output, status: 0 });
    }
    const own = command
      .replaceAll('localhost:8080', `localhost:${port}`)
      .replaceAll(CAMBRIDGE, demo.weatherUrl)
      .replaceAll('/tmp/', `${scratch}/`);
    return runInShell(own, { cwd: scratch });
  };
  const steps = parseWalkthrough(readFileSync(join(EXAMPLE, 'README.md'), 'utf8'));
  assert(steps.length >= 8);
  for (const step of steps) await t.test(step.command.split('\n', 1)[0], () => runStep(step, run));

  await t.test('The first line of the file is data, and numbers are numbers', async () => {
    const query = async (sql: string): Promise<unknown[]> => {
      const body = JSON.stringify({ query: sql });
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch(`http://localhost:${port}/q`, { method: 'POST', headers, body });
      const lines = (await response.text()).trimEnd().split('\n');
      return lines.map((line): unknown => JSON.parse(line));
    };
    const script = join(EXAMPLE, 'weather.ts');
    const expected = Number(
      execFileSync(process.execPath, [script, '--count'], { encoding: 'utf8' }),
    );
    const count = 'SELECT count(*) AS n, min(timestamp) AS first FROM cambridge_weather';
    assert.deepEqual(await query(count), [{ n: expected, first: '1995-06-30T18:00:00' }]);
    const months = (await query(
      "SELECT date_trunc('month', timestamp) AS month, AVG(temp_c_10 * 0.1) AS avg_temp, " +
        'MIN(temp_c_10 * 0.1) AS min_temp, MAX(temp_c_10 * 0.1) AS max_temp ' +
        'FROM cambridge_weather GROUP BY 1 ORDER BY 1 DESC LIMIT 12',
    )) as Record<string, unknown>[];
    assert.equal(months.length, 12);
    assert.equal(months[0]!['month'], '2022-08-01T00:00:00');
    for (const { avg_temp: average, min_temp: min, max_temp: max } of months) {
      assert(typeof average === 'number' && typeof min === 'number' && typeof max === 'number');
      assert(min < average && average < max);
    }
  });

  await t.test('The commands that it prints work too, with line breaks in the query', async () => {
    const [, command = ''] = /The readers know it at once:\n\n(.*?\nEOF)\n/s.exec(demo.output())!;
    for (const body of ['-d@-', '--data-binary @-']) {
      const { output } = await run(command.replace('-d@-', body));
      assert.equal(output.split('\n').filter((line) => line.startsWith('{"month"')).length, 12);
    }
  });
});
