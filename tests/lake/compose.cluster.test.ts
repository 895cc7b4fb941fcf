// The lake of examples/lake as its compose file and its Dockerfile say: an object store, a writer,
// readers that are added, nginx. Ceph plays MinIO.

import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { provideExtensions } from '@skein/lake';
import { buildConsole, RecordingLog, requirePart, waitUntil } from '@skein/testkit';

import type { ImageStep } from '../lib/compose/image.ts';
import type { MachineImage } from '../lib/compose/machine-images.ts';
import { type ComposeProject, openProject } from '../lib/compose/project.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FILE = join(ROOT, 'examples', 'lake', 'docker-compose.yml');
const INGRESS = 8080;
const READER = 'seafowl-reader';
const TIMEOUT_MS = 600_000;
const ARRIVAL_TIMEOUT_MS = 180_000;

const NODE = 'node --conditions=@skein/source --disable-warning=ExperimentalWarning';

/** Node and what of the checkout the programs in lib/ need. */
function checkout(): ImageStep[] {
  const shown = ['node_modules', 'packages', 'tests/lake/lib'].map((path) => {
    return { source: join(ROOT, path), target: `/app/${path}` };
  });
  const node = { source: realpathSync(process.execPath), target: '/usr/local/bin/node' };
  return [node, ...shown].map((each) => ({ kind: 'show', ...each }));
}

/** `minio`, as a program of this machine. */
function minio(): MachineImage {
  const script = `#!/bin/sh\\nexec ${NODE} /app/tests/lake/lib/minio-stand-in.ts "$@"\\n`;
  const path = '/usr/local/bin/minio';
  const install = ['sh', '-c', `printf '${script}' > ${path}; chmod 0755 ${path}`];
  const environment = { PATH: '/usr/bin:/bin' };
  return {
    pattern: /^minio\/minio:/,
    debianPackages: ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'],
    steps: [...checkout(), { kind: 'run', command: install, workdir: '/', environment }],
  };
}

/** nginx, with the name server that it has in Docker. */
function nginx(): MachineImage {
  const names = `${NODE} /app/tests/lake/lib/docker-names.ts &`;
  return {
    pattern: /^nginx:\d+\.\d+/,
    command: ['sh', '-c', `${names} exec nginx -g 'daemon off;'`],
    stopSignal: 'SIGQUIT',
    debianPackages: ['nginx-light'],
    steps: checkout(),
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function query(
  project: ComposeProject,
  path: string,
  sql: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${project.urlOf(INGRESS)}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ query: sql }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

async function open(t: TestContext): Promise<ComposeProject | undefined> {
  if (!requirePart(t, 'fuse', 'root', 'curl', 'nginx', 'radosgw')) return undefined;
  // What the image builds is in the checkout.
  await buildConsole();
  await provideExtensions({
    cacheFolder: join(ROOT, '.tools', 'duckdb-extensions'),
    needsHttpfs: true,
    log: new RecordingLog(),
    duckDbFolder: '/-',
  });
  return openProject(t, { file: FILE, images: [minio(), nginx()] });
}

test('docker-compose.yml of the lake', { timeout: TIMEOUT_MS }, async (t) => {
  const project = await open(t);
  if (project === undefined) return;
  await project.upAndHealthy();

  await t.test('What the writer makes, a reader has', async () => {
    const table =
      'CREATE TABLE weather AS SELECT i AS hour, i % 30 AS temp FROM range(200000) r(i)';
    let made = await query(project, '/w/q/', table);
    // The object store may need longer for its start than a node: a write fails as a whole then.
    const isMade = async (): Promise<boolean> => {
      if (made.status !== 200) made = await query(project, '/w/q/', table);
      return made.status === 200;
    };
    await waitUntil('the writer has made a table', isMade, ARRIVAL_TIMEOUT_MS);
    const position = made.headers.get('x-skein-position')!;
    const sum = 'SELECT sum(temp) AS total FROM weather WHERE hour > 7';
    const read = await query(project, '/q', sum, { 'X-Skein-Position': position });
    assert.equal(read.status, 200, read.text);
    assert.equal((await query(project, '/w/q', sum)).text, read.text);
    assert.equal((await query(project, '/q', 'DROP TABLE weather')).status, 403);
  });

  await t.test('Readers are added, come up empty, and answer', async () => {
    await project.upAndHealthy({ scale: { [READER]: 3 } });
    const nodes = project.ps().filter(({ service }) => service === READER);
    assert.equal(nodes.length, 3);
    const answer = await query(project, '/q', 'SELECT count(*) AS n FROM weather');
    assert.equal(answer.text, '{"n":200000}\n');
  });

  await t.test('A writer that is down keeps nobody from reading', async () => {
    await project.stop('seafowl-writer');
    const answer = await query(project, '/q', 'SELECT count(*) AS n FROM weather');
    assert.equal(answer.text, '{"n":200000}\n');
    assert.equal((await query(project, '/w/q', 'CREATE TABLE x (i INT)')).status, 502);
    await project.upAndHealthy({ scale: { [READER]: 3 } });
    const isBack = async (): Promise<boolean> => {
      return (await query(project, '/w/q', 'CREATE TABLE IF NOT EXISTS x (i INT)')).status === 200;
    };
    await waitUntil('the writer writes again', isBack, ARRIVAL_TIMEOUT_MS);
  });
});
