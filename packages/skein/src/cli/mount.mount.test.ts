// `skein mount` as people start it, with the commands that they give it, and with the other
// commands asking the node that runs.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { requirePart, tempDir, watchMounts } from '@skein/testkit';

import { runSkein } from '../../test/skein-program.ts';

const TIMEOUT_MS = 600_000;

/** A shell function `skein`, for scripts that run on the mount. */
const SKEIN = 'skein() { "$NODE" $FLAGS "$MAIN" "$@"; }\n';

const ENVIRONMENT = {
  NODE: process.execPath,
  FLAGS: '--conditions=@skein/source --disable-warning=ExperimentalWarning',
  MAIN: join(import.meta.dirname, 'main.ts'),
};

/** A folder with scripts, in which the mount is `app`. */
function setUp(t: TestContext, scripts: Readonly<Record<string, string>>): string | undefined {
  if (!requirePart(t, 'fuse', 'root', 'sqlite3')) return undefined;
  const cwd = tempDir(t);
  watchMounts(t, cwd, TIMEOUT_MS);
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(cwd, name), SKEIN + text);
  return cwd;
}

describe('skein mount', () => {
  test('runs a command on the mount, ends as it does, and leaves nothing behind', async (t) => {
    const cwd = setUp(t, {
      script: 'sqlite3 app/a.db "CREATE TABLE t(a); INSERT INTO t VALUES (42)" && exit 7\n',
    });
    if (cwd === undefined) return;
    const { exitCode, stderr } = await runSkein(['mount', 'app', '--', 'sh', 'script'], { cwd });
    assert.equal(exitCode, 7, stderr);
    assert.deepEqual(readdirSync(join(cwd, 'app')), []);
    assert.equal(existsSync(join(cwd, '.app', 'api.sock')), false);
    const again = ['mount', 'app', '--', 'sqlite3', 'app/a.db', 'SELECT a FROM t'];
    const { stdout } = await runSkein(again, { cwd });
    assert.equal(stdout.toString(), '42\n');
  });

  test('answers the other commands', async (t) => {
    const cwd = setUp(t, {
      script:
        'set -e\n' +
        'sqlite3 plain.db "CREATE TABLE t(a); INSERT INTO t VALUES (1)"\n' +
        'skein import --data .app plain.db\n' +
        'sqlite3 app/plain.db "INSERT INTO t VALUES (2)"\n' +
        'skein status --data .app\n' +
        'skein export --data .app --name plain.db copy.db\n' +
        'cat app/plain.db > seen.db\n' +
        'if skein import --data .app script; then exit 9; fi\n' +
        'skein import --data .app --name plain.db --quiet copy.db\n' +
        'sqlite3 app/plain.db "SELECT sum(a) FROM t"\n' +
        'skein check --json app > check.json\n',
    });
    if (cwd === undefined) return;
    const args = ['mount', 'app', '--', 'sh', 'script'];
    const { exitCode, stdout, stderr } = await runSkein(args, { cwd, env: ENVIRONMENT });
    assert.equal(exitCode, 0, stderr);
    const output = stdout.toString();
    assert.match(output, /^Imported plain\.db: 8\.00 KiB, transaction 0{15}1$/m);
    assert.match(output, /^mount +\/.*\/app, for [\dhms ]+$/m);
    assert.match(output, /^plain\.db +8\.00 KiB +2 +4096 +rollback +0{15}2 /m);
    assert.match(output, /^3$/m);
    assert.match(stderr, /Cannot store script: it is no whole SQLite database/);
    const [copy, seen] = ['copy.db', 'seen.db'].map((name) => readFileSync(join(cwd, name)));
    assert.ok(copy!.equals(seen!));
    const checks = JSON.parse(readFileSync(join(cwd, 'check.json'), 'utf8')) as {
      readonly name: string;
      readonly level: string;
      readonly message: string;
    }[];
    assert.deepEqual(
      checks.filter(({ level }) => level === 'fail'),
      [],
    );
    assert.match(checks.find(({ name }) => name === 'mountpoint')!.message, /is mounted on/);
  });

  test('does what a litefs.yml says, and names what it does not', async (t) => {
    const cwd = setUp(t, {});
    if (cwd === undefined) return;
    writeFileSync(
      join(cwd, 'litefs.yml'),
      'fuse: { dir: app }\n' +
        'data: { dir: "${DATA}", compress: true }\n' +
        'exec:\n' +
        '  - { cmd: "sqlite3 app/a.db \'CREATE TABLE t(a)\'", if-candidate: true }\n' +
        '  - { cmd: "sqlite3 app/a.db .schema" }\n',
    );
    const env = { DATA: 'folder' };
    const { exitCode, stdout, stderr } = await runSkein(['mount'], { cwd, env });
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout.toString(), 'CREATE TABLE t(a);\n');
    assert.match(stderr, /WARN .*litefs\.yml: without a meaning here: data\.compress/);
    assert.ok(existsSync(join(cwd, 'folder', 'dbs', 'a.db', 'database')));
  });

  test('says why it cannot begin', async (t) => {
    const cwd = setUp(t, {});
    if (cwd === undefined) return;
    const failures: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [['app', '--data', 'app/data'], /one lies in the other\n {2}Choose a folder/],
      [['full'], /The folder has x in it\n {2}The mount would hide that/],
      [['app', '--data', 'litefs'], /it is one of LiteFS\n {2}Choose a new data folder/],
    ];
    for (const folder of ['full/x', 'litefs/dbs/a.db/ltx']) {
      mkdirSync(join(cwd, folder), { recursive: true });
    }
    for (const [args, message] of failures) {
      const { exitCode, stderr } = await runSkein(['mount', ...args], { cwd });
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /, 'A stack trace');
    }
    const { exitCode } = await runSkein(['mount', 'app', '--', 'no-such-program'], { cwd });
    assert.equal(exitCode, 127);
  });
});
