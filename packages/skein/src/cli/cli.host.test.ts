// The command line itself, and the commands that need no node.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';

import { LtxEncoder, makeHeader, NO_CHECKSUM, toChecksum, toTxid } from '@skein/ltx';
import { AS_NOBODY, onTestEnd, requirePart, SOURCE_FLAGS, tempDir } from '@skein/testkit';

import { runSkein } from '../../test/skein-program.ts';
import { SKEIN_VERSION } from '../version.ts';
import { run } from './program.ts';

const PAGE_SIZE = 512;

/** An LTX file with pages that begin with their numbers. */
function makeLtx(version: 1 | 3, txid: number, pgnos: readonly number[]): Buffer {
  const parts: Uint8Array[] = [];
  const header = makeHeader({
    pageSize: PAGE_SIZE,
    commit: 3,
    minTxid: toTxid(txid),
    maxTxid: toTxid(txid),
    timestampMs: 1_700_000_000_000,
    nodeId: 0xabcn,
    preApplyChecksum: txid === 1 ? NO_CHECKSUM : toChecksum(0x8000_0000_0000_0001n),
  });
  const sink = (bytes: Uint8Array, start: number, end: number): number =>
    parts.push(bytes.slice(start, end));
  const encoder = new LtxEncoder(sink, header, version);
  for (const pgno of pgnos) encoder.writePage(pgno, new Uint8Array(PAGE_SIZE).fill(pgno));
  encoder.finish(encoder.pagesChecksum);
  return Buffer.concat(parts);
}

interface Told {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As runSkein(), in this process: for what ends before it begins, which is most of this file. */
async function tell(args: readonly string[], cwd: string): Promise<Told> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = Promise.all([text(stdout), text(stderr)]);
  const exitCode = await run(args, {
    cwd,
    environment: {},
    isRoot: process.geteuid!() === 0,
    stdin: Readable.from([]),
    stdout,
    stderr,
    interrupts: { onInterrupt: () => () => {} },
  });
  stdout.end();
  stderr.end();
  const [out, err] = await texts;
  return { exitCode, stdout: out, stderr: err };
}

async function fails(exitCode: number, args: readonly string[], cwd: string): Promise<string> {
  const result = await tell(args, cwd);
  assert.equal(result.exitCode, exitCode, result.stderr);
  assert.doesNotMatch(result.stderr, /\n\s+at /, 'A stack trace');
  return result.stderr;
}

async function prints(args: readonly string[], cwd: string): Promise<string> {
  const { exitCode, stdout, stderr } = await tell(args, cwd);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

/** As prints(), in a process of its own: what a command reads is found from where it runs. */
async function programPrints(
  args: readonly string[],
  cwd: string,
  input?: Buffer,
): Promise<string> {
  const options = input === undefined ? { cwd } : { cwd, input };
  const { exitCode, stdout, stderr } = await runSkein(args, options);
  assert.equal(exitCode, 0, stderr);
  return stdout.toString();
}

describe('skein', () => {
  test('explains each command, with examples', async (t) => {
    const cwd = tempDir(t);
    const commands = ['mount', 'import', 'export', 'status', 'check', 'ltx dump', 'ltx verify'];
    const help = await prints(['--help'], cwd);
    assert.match(help, /Exit codes: 0 it worked, 1 it failed, 2/);
    for (const command of commands) {
      const text = await prints([...command.split(' '), '--help'], cwd);
      assert.match(text, new RegExp(`^Usage: skein ${command}`), command);
      assert.match(text, new RegExp(`\nExamples:\n.*skein ${command}`, 's'), command);
      assert.ok(help.includes(command.split(' ')[0]!));
    }
  });

  test('tells wrong command lines with exit code 2', async (t) => {
    const cwd = tempDir(t);
    const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [[], /^Usage: skein/],
      [['ltx'], /^Usage: skein ltx/],
      [['muont'], /unknown command 'muont'\n\(Did you mean mount\?\)/],
      [['status', '--jsno'], /unknown option '--jsno'\n\(Did you mean --json\?\)/],
      [['status', 'extra'], /too many arguments/],
      [['mount', 'a', 'b'], /too many arguments/],
      [['mount', 'a', '--pin-cpu', 'x'], /'x' is invalid\. "x" is no whole number from 0 to 1023/],
      [['mount', 'a', '--retention', '10'], /"10" is no duration; write it like 90s, 10m/],
      [['mount', 'a', '--segment-size', '1'], /"1" is not between 64KiB and 1GiB/],
      [['mount', 'a', '--http', 'x'], /"x" is no address; write it like/],
      [['mount', 'a', '--http', ':1'], /on all interfaces anybody could read and replace/],
      [['mount', 'a', '--http', '1', '--http-secret-file', 'no'], /no: reading it gives ENOENT/],
      [['mount'], /there is no mountpoint\n {2}Name a folder/],
      [['mount', '--data'], /argument missing/],
      [['mount', 'a', '--', ''], /the command is empty/],
      [['check', '--repair'], /--repair needs --deep/],
    ];
    for (const [args, message] of cases) {
      assert.match(await fails(2, args, cwd), message, args.join(' '));
    }
    const { exitCode, stderr } = await runSkein(['muont'], { cwd });
    assert.equal(exitCode, 2);
    assert.match(stderr, /^skein: unknown command 'muont'/);
  });

  test('says in one line that its output cannot be written', () => {
    const full = openSync('/dev/full', 'w');
    const main = join(import.meta.dirname, 'main.ts');
    const { status, stderr } = spawnSync(process.execPath, [...SOURCE_FLAGS, main, 'version'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    assert.deepEqual([status, stderr], [1, 'skein: Cannot write the output: ENOSPC\n']);
  });

  test('shows where an error comes from when told to', async (t) => {
    const cwd = tempDir(t);
    const env = { SKEIN_DEBUG: '1' };
    const { stderr, exitCode } = await runSkein(['status', '-d', 'no'], { cwd, env });
    assert.equal(exitCode, 1);
    assert.match(stderr, /\n\s+at .*offline-node\.ts/);
  });

  test('shows versions', async (t) => {
    const cwd = tempDir(t);
    assert.equal(await prints(['--version'], cwd), `${SKEIN_VERSION}\n`);
    assert.match(await prints(['version'], cwd), /^skein +0.*\nnode +.*\nkernel +.*\nltx +1,3\n$/);
    const json = JSON.parse(await prints(['version', '--json'], cwd)) as Record<string, unknown>;
    assert.equal(json['skein'], SKEIN_VERSION);
    assert.deepEqual(json['ltx'], [1, 3]);
  });
});

describe('skein ltx', () => {
  const snapshotName = '0000000000000001-0000000000000001.ltx';

  function setUp(t: TestContext): string {
    const cwd = tempDir(t);
    writeFileSync(join(cwd, snapshotName), makeLtx(1, 1, [1, 2, 3]));
    writeFileSync(join(cwd, 'two'), makeLtx(3, 2, [2]));
    return cwd;
  }

  test('dumps files of each version', async (t) => {
    const cwd = setUp(t);
    const lines = (
      await programPrints(['ltx', 'dump', '--json', '--pages', snapshotName, 'two'], cwd)
    )
      .trimEnd()
      .split('\n');
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(first!['file'], snapshotName);
    assert.equal(first!['version'], 1);
    assert.equal(first!['isSnapshot'], true);
    assert.equal(first!['pageCount'], 3);
    assert.equal(first!['nodeId'], '0000000000000ABC');
    assert.equal(first!['time'], '2023-11-14T22:13:20.000Z');
    const pages = first!['pages'] as { pgno: number; offset: number }[];
    const places = pages.map(({ pgno, offset }) => [pgno, offset]);
    assert.deepEqual(places, [
      [1, 100],
      [2, 616],
      [3, 1132],
    ]);
    assert.equal(second!['version'], 3);
    assert.equal(second!['isSnapshot'], false);
    assert.equal(second!['minTxid'], '0000000000000002');
    const text = await programPrints(['ltx', 'dump', '--pages', 'two'], cwd);
    assert.match(text, /^commit +3$/m);
    assert.match(text, /^PAGE +OFFSET +CHECKSUM$/m);
  });

  test('verifies files, and standard input', async (t) => {
    const cwd = setUp(t);
    const text = await programPrints(['ltx', 'verify', snapshotName, 'two'], cwd);
    assert.match(text, /^0{15}1-0{15}1\.ltx: ok, V1, 0{15}1-0{15}1, 3 pages, 1\.63 KiB$/m);
    assert.match(text, /^two: ok, V3, 0{15}2-0{15}2, 1 page,/m);
    assert.match(
      await programPrints(['ltx', 'verify', '-'], cwd, makeLtx(3, 2, [2])),
      /^-: ok, V3/,
    );
    assert.equal(await programPrints(['ltx', 'verify', '--quiet', 'two'], cwd), '');
  });

  test('names damaged files with the offset, goes on, and ends with exit code 1', async (t) => {
    const cwd = setUp(t);
    const sound = makeLtx(1, 1, [1, 2, 3]);
    const flipped = Buffer.from(sound);
    flipped[700]! ^= 1;
    writeFileSync(join(cwd, 'flipped'), flipped);
    writeFileSync(join(cwd, 'cut'), sound.subarray(0, 1000));
    writeFileSync(join(cwd, 'longer'), Buffer.concat([sound, Buffer.from('x')]));
    writeFileSync(join(cwd, 'empty'), '');
    writeFileSync(join(cwd, 'text'), 'This is a text that is no LTX file. '.repeat(10));
    const wrongName = '0000000000000002-0000000000000002.ltx';
    writeFileSync(join(cwd, wrongName), sound);
    const files = ['flipped', 'cut', 'longer', 'empty', 'text', wrongName, 'missing', '.', 'two'];
    const { exitCode, stdout, stderr } = await runSkein(['ltx', 'verify', ...files], { cwd });
    assert.equal(exitCode, 1);
    assert.match(stdout.toString(), /^two: ok/);
    const expected: readonly RegExp[] = [
      /^flipped: LTX_(?:FILE|DATABASE)_CHECKSUM: .*\(offset \d+\)$/,
      /^cut: LTX_TRUNCATED: .*\(offset 620\)$/,
      /^longer: LTX_TRAILER: Something follows behind the trailer \(offset 1668\)$/,
      /^empty: LTX_TRUNCATED: .*\(offset 0\)$/,
      /^text: LTX_MAGIC: .*\(offset 0\)$/,
      /: LTX_HEADER: The header belongs into a file named 0{15}1-0{15}1\.ltx \(offset 16\)$/,
      /^Cannot read missing: ENOENT$/,
      /^Cannot read \.: EISDIR$/,
    ];
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, expected.length, stderr);
    for (const [index, pattern] of expected.entries()) assert.match(lines[index]!, pattern);
    assert.match((await runSkein(['ltx', 'dump', 'cut'], { cwd })).stderr, /^cut: LTX_TRUNCATED/);
  });
});

describe('skein check', () => {
  interface Result {
    readonly name: string;
    readonly level: string;
    readonly message: string;
    readonly fix?: string;
  }

  async function check(args: readonly string[], cwd: string): Promise<Map<string, Result>> {
    const { stdout } = await tell(['check', '--json', ...args], cwd);
    const results = JSON.parse(stdout) as Result[];
    return new Map(results.map((result) => [result.name, result]));
  }

  test('finds folders that cannot be', async (t) => {
    const cwd = tempDir(t);
    writeFileSync(join(cwd, 'file'), '');
    const levels = async (args: readonly string[], name: string): Promise<Result> =>
      (await check(args, cwd)).get(name)!;
    assert.equal((await levels(['new'], 'mountpoint')).level, 'ok');
    assert.equal((await levels(['new'], 'data folder')).level, 'ok');
    assert.match((await levels(['file'], 'mountpoint')).message, /is no folder$/);
    mkdirSync(join(cwd, 'full', 'x'), { recursive: true });
    const full = await levels(['full', '-d', 'data'], 'mountpoint');
    assert.match(full.message, /is not empty: the mount would hide x$/);
    // What a client makes that finds no mount.
    mkdirSync(join(cwd, 'bare'));
    writeFileSync(join(cwd, 'bare', 'app.db'), '');
    assert.equal((await levels(['bare', '-d', 'data'], 'mountpoint')).level, 'ok');
    const nested = await levels(['a', '-d', 'a/b'], 'mountpoint');
    assert.equal(nested.level, 'fail');
    assert.match(nested.message, /lie in each other/);
    assert.ok((await levels(['new'], 'space')).message.includes('are free'));
  });

  test('fails when something prevents a mount, and says how to mend it', async (t) => {
    const cwd = tempDir(t);
    writeFileSync(join(cwd, 'file'), '');
    const { exitCode, stdout } = await tell(['check', 'file'], cwd);
    assert.equal(exitCode, 1);
    assert.match(stdout, /^fail {2}mountpoint: .*\n {6}choose another one$/m);
  });

  test('finds a port that is taken', async (t) => {
    const cwd = tempDir(t);
    const server = createServer().listen(0, '127.0.0.1');
    onTestEnd(t, () => {
      server.close();
    });
    await new Promise((resolve) => {
      server.once('listening', resolve);
    });
    const { port } = server.address() as { port: number };
    writeFileSync(join(cwd, 'skein.yml'), `mount: { path: a }\nhttp: { address: ${port} }\n`);
    const result = (await check([], cwd)).get('port')!;
    assert.equal(result.level, 'fail');
    assert.match(result.message, /gives EADDRINUSE$/);
  });

  test('says what a user without rights lacks', async (t) => {
    if (!requirePart(t, 'root', 'setpriv')) return;
    const { stdout } = await runSkein(['check', '--json'], {
      cwd: '/',
      prefix: [...AS_NOBODY, 'env', 'PATH=/nowhere'],
    });
    const results = JSON.parse(stdout.toString()) as Result[];
    const rights = results.find(({ name }) => name === 'rights')!;
    assert.equal(rights.level, 'fail');
    assert.match(rights.message, /fusermount3 is not installed/);
    assert.equal(rights.fix, 'apt-get install fuse3');
  });

  test('names what in a litefs.yml has no meaning', async (t) => {
    const cwd = tempDir(t);
    writeFileSync(join(cwd, 'litefs.yml'), 'fuse: { dir: a }\nbackup: { type: file }\n');
    const result = (await check([], cwd)).get('configuration')!;
    assert.equal(result.level, 'warn');
    assert.match(result.message, /backup\.type \(there are no backups yet\)/);
  });
});

describe('skein check --deep', () => {
  test('finds damage, repairs it, and then finds nothing', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const cwd = tempDir(t);
    const input = Buffer.from(await makeDatabase());
    await programPrints(['import', '-d', 'data', '--name', 'a.db', '-'], cwd, input);
    const deep = ['check', '--deep', '-d', 'data'];
    assert.match(await prints(deep, cwd), /1 database, 1 transaction in the log, all in order\n$/);
    const path = join(cwd, 'data', 'dbs', 'a.db', 'database');
    const damaged = Buffer.from(input);
    damaged[5000]! ^= 1;
    writeFileSync(path, damaged);
    const found = await tell(deep, cwd);
    assert.equal(found.exitCode, 1);
    assert.match(
      found.stdout,
      /^damage: dbs\/a\.db\/database: .*\(database a\.db, page 2\)\n {2}can be repaired: /,
    );
    const repaired = await prints([...deep, '--repair', '--json'], cwd);
    const report = JSON.parse(repaired) as { findings: unknown[]; repaired: { pgno: number }[] };
    assert.deepEqual(report.findings, []);
    assert.equal(report.repaired[0]!.pgno, 2);
    await programPrints(['export', '-d', 'data', 'a.db'], cwd);
    assert.match(await prints(deep, cwd), /all in order\n$/);
    assert.match(await fails(1, ['check', '--deep', '-d', 'no'], cwd), /it is no data folder/);
  });

  async function makeDatabase(): Promise<string | Buffer> {
    const { DatabaseSync } = await import('node:sqlite');
    const { readFileSync, mkdtempSync, rmSync } = await import('node:fs');
    const folder = mkdtempSync('/tmp/skein-test-');
    try {
      const database = new DatabaseSync(join(folder, 'x'));
      database.exec('CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(20000))');
      database.close();
      return readFileSync(join(folder, 'x'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
