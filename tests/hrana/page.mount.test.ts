// The page about SQL over HTTP: its commands run and answer what it says, its programs run, against
// a node that is configured as it says.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import {
  ClusterNode,
  freePorts,
  onTestEnd,
  requirePart,
  SOURCE_FLAGS,
  tempDir,
  waitUntil,
  watchMounts,
} from '@skein/testkit';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'sql-over-http.md'), 'utf8');
const PORT = '8090';
const TIMEOUT_MS = 300_000;
/** Signs that mean something in a regular expression. */
const SPECIAL = /[$()*+.?[\\\]^{|}]/g;

function blocksOf(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...PAGE.matchAll(pattern)].map(([, block]) => block!);
}

interface Command {
  readonly text: string;
  /** With `…` for what is not told. */
  readonly answer: string;
}

/** Commands begin with `$ `; a line that is indented goes on with one. */
function commandsOf(block: string): Command[] {
  const parts = block.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const lines = part.trimEnd().split('\n');
    const count = lines.findIndex((line, index) => index > 0 && !line.startsWith(' '));
    return { text: lines.slice(0, count).join('\n'), answer: lines.slice(count).join('\n') };
  });
}

function patternOf(answer: string): RegExp {
  const parts = answer.split('…').map((part) => part.replaceAll(SPECIAL, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

test('docs/sql-over-http.md does what it says', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'curl')) return;
  const folder = tempDir(t);
  watchMounts(t, folder, TIMEOUT_MS);
  const [port] = await freePorts(1);
  const local = (text: string): string => text.replaceAll(PORT, String(port));
  const [yaml] = blocksOf('yaml');
  assert.match(yaml!, /address: 127\.0\.0\.1:8090\n\s+database: app\.db/);
  const sql = { address: `127.0.0.1:${port}`, database: 'app.db' };
  const node = new ClusterNode({ name: 'node1', folder: join(folder, 'node1'), config: { sql } });
  onTestEnd(t, () => node.stop());
  await node.start();
  const isServed = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  await waitUntil('SQL is served', isServed, TIMEOUT_MS);

  const [commands] = blocksOf('console');
  for (const { text, answer } of commandsOf(commands!)) {
    const { stdout } = spawnSync('sh', ['-c', local(text)], { encoding: 'utf8' });
    assert.match(stdout.trimEnd(), patternOf(answer), text);
  }
  const env = {
    ...process.env,
    SKEIN_MOUNT_PATH: node.mountpoint,
    SKEIN_DATA_PATH: node.dataFolder,
    SKEIN_PRIMARY_HOSTNAME: 'node1',
    SKEIN_DATABASE_NAME: 'app.db',
  };
  const printed = blocksOf('js').map((program) => {
    const args = [...SOURCE_FLAGS, '--input-type=module', '-e', local(program)];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      cwd: ROOT,
      encoding: 'utf8',
      env,
      timeout: TIMEOUT_MS,
    });
    assert.equal(status, 0, stderr);
    return stdout.trimEnd();
  });
  assert.deepEqual(printed, ['HELLO, from the client', 'from anywhere']);
});
