// `skein lake`: the server as a process, as it is started; what asks it in this one.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import { freePorts, onTestEnd, SOURCE_FLAGS, tempDir, waitUntil } from '@skein/testkit';

import { run as runLakeProgram } from '../src/cli/program.ts';
import { EXTENSIONS_CACHE } from './real-engine.ts';

const SKEIN = join(import.meta.dirname, '../../skein/src/cli/main.ts');
const START_MS = 60_000;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of the lake in this process. */
async function run(cwd: string, args: readonly string[], input = ''): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await runLakeProgram(args, {
    cwd,
    environment: {},
    stdin: Readable.from([input]),
    stdout,
    stderr,
    stopped: () => new Promise(() => {}),
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await out, stderr: await err };
}

/** `skein lake …` */
function start(cwd: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...SOURCE_FLAGS, SKEIN, 'lake', ...args], { cwd });
}

async function folderWith(t: Parameters<typeof tempDir>[0]): Promise<readonly [string, number]> {
  const folder = tempDir(t);
  const [port] = (await freePorts(1)) as [number];
  const extensions = `engine:\n  extensions: ${EXTENSIONS_CACHE}\n`;
  writeFileSync(
    join(folder, 'lake.yml'),
    `http:\n  address: 127.0.0.1:${port}\n  write: any\n${extensions}`,
  );
  return [folder, port];
}

test('help, and exit code 2 for what cannot be', async (t) => {
  const folder = tempDir(t);
  const help = await run(folder, ['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /serve .*\n.*query/);
  assert.match((await run(folder, ['serve', '--help'])).stdout, /SKEIN_LAKE_HTTP_ADDRESS/);
  const wrongs = [
    ['sing'],
    ['serve', '--loud'],
    ['query', 'a', 'b'],
    ['query', '-f', 'xml'],
    ['query', '--url', 'localhost:8080', 'SELECT 1'],
  ];
  for (const args of wrongs) {
    const { code, stderr } = await run(folder, args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^skein lake: /);
  }
  writeFileSync(join(folder, 'lake.yml'), 'http:\n  address: nowhere\n');
  const wrong = await run(folder, ['serve']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /lake\.yml:2: http\.address/);
});

test('an output that cannot be written is an error in one line', () => {
  const full = openSync('/dev/full', 'w');
  const main = join(import.meta.dirname, '../src/main.ts');
  const { status, stderr } = spawnSync(process.execPath, [...SOURCE_FLAGS, main, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  assert.deepEqual([status, stderr], [1, 'skein lake: Cannot write the output: ENOSPC\n']);
});

test('a query opens the lake, or asks the one that runs, which ends in order', async (t) => {
  const [folder, port] = await folderWith(t);
  const made = await run(folder, ['query', 'CREATE TABLE t AS SELECT 9223372036854775807 AS x']);
  assert.equal(made.code, 0, made.stderr);

  const server = start(folder, ['serve']);
  onTestEnd(t, () => void server.kill('SIGKILL'));
  const log = text(server.stderr!);
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => (await fetch(`${url}/readyz`)).ok;
  await waitUntil('the lake answers', answers, START_MS);

  const asked = await run(folder, ['query', 'SELECT x FROM t']);
  assert.deepEqual([asked.code, asked.stdout], [0, '{"x":9223372036854775807}\n'], asked.stderr);
  const table = await run(folder, ['query', '--format', 'table', '-'], "SELECT 1 AS a, 'é' AS b");
  assert.equal(table.stdout, 'a  b\n─  ─\n1  é\n(1 row)\n');
  const csv = await run(tempDir(t), ['query', '--url', url, '-f', 'csv', 'SELECT 1 AS a']);
  assert.equal(csv.stdout, 'a\n1\n');
  const failed = await run(folder, ['query', 'SELECT * FROM missing_table']);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /missing_table/);

  const second = start(folder, ['serve']);
  onTestEnd(t, () => void second.kill('SIGKILL'));
  const complaint = text(second.stderr!);
  const [refused] = (await once(second, 'exit')) as [number];
  assert.equal(refused, 1);
  assert.match(await complaint, /Another process has the folder of the lake's scratch files/);

  server.kill('SIGTERM');
  const [code] = (await once(server, 'exit')) as [number];
  assert.equal(code, 0);
  const lines = (await log).trimEnd().split('\n');
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.match(lines[0]!, /The lake answers url=http:\/\/127\.0\.0\.1:\d+ role=writer/);
});
