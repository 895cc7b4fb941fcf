// Others read the lake too: a stock DuckDB, from Python's registry, on a replica's mount, while the
// lake writes on the primary's.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import {
  createCluster,
  onTestEnd,
  RecordingLog,
  requirePart,
  skipTest,
  tempDir,
  waitUntil,
  watchMounts,
} from '@skein/testkit';

import { provideExtensions } from '../src/store/extensions.ts';
import { ask } from './ask.ts';
import { createRealEngine, EXTENSIONS_CACHE } from './real-engine.ts';

const PYTHON_PACKAGES = join(import.meta.dirname, '../../../.tools/duckdb-python');
const PROGRAM = join(import.meta.dirname, 'stock-duckdb.py');
const REQUESTS = 20;

/** Fetched once a checkout; false where there is no registry. */
function hasStockDuckDb(): boolean {
  if (existsSync(join(PYTHON_PACKAGES, 'duckdb'))) return true;
  try {
    const options = ['--quiet', '--no-deps', '--target', PYTHON_PACKAGES];
    execFileSync('python3', ['-m', 'pip', 'install', ...options, 'duckdb==1.5.5'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

test('a stock DuckDB on a replica reads whole versions while the lake writes', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'python3')) return;
  if (!hasStockDuckDb()) {
    skipTest(t, 'This test needs duckdb 1.5.5 from the registry of Python packages');
    return;
  }
  const folder = tempDir(t);
  watchMounts(t, folder, 600_000);
  const cluster = await createCluster(['node1', 'node2'], { folder });
  onTestEnd(t, () => cluster.stop());
  await cluster.start();
  const log = new RecordingLog();
  const options = { cacheFolder: EXTENSIONS_CACHE, needsHttpfs: false, log };
  const { ducklake, sqliteScanner } = await provideExtensions(options);

  const dataPath = tempDir(t);
  const engine = await createRealEngine(t, {
    catalogPath: join(cluster.primary.mountpoint, 'lake.db'),
    dataPath: `${dataPath}/`,
  });
  onTestEnd(t, () => engine.close());
  await ask(engine, 'CREATE TABLE t (id INT, part INT)');
  const first = await ask(engine, 'INSERT INTO t VALUES (0, 1), (0, 2)');
  const replica = cluster.replicas[0]!;
  const isThere = (): boolean => existsSync(join(replica.mountpoint, 'lake.db-pos'));
  await waitUntil('the replica has the catalog', isThere, 60_000);

  const catalog = join(replica.mountpoint, 'lake.db');
  const python = spawn(
    'python3',
    [PROGRAM, catalog, dataPath, ducklake, sqliteScanner, String(REQUESTS)],
    { env: { ...process.env, PYTHONPATH: PYTHON_PACKAGES }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(python, 'close');
  onTestEnd(t, () => void python.kill('SIGKILL'));
  python.stdin.end(`${first.snapshot.id}\n`);
  let text = '';
  python.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  for (let id = 1; id < REQUESTS; id += 1) {
    await ask(engine, `INSERT INTO t VALUES (${id}, 1); INSERT INTO t VALUES (${id}, 2)`);
    if (id % 5 === 0) await engine.maintain();
  }
  await ended;

  const counted = [...text.matchAll(/counted (\d+) (\d+)\n/g)].map((match) => Number(match[1]));
  const halves = [...text.matchAll(/counted (\d+) (\d+)\n/g)].map((match) => Number(match[2]));
  assert.ok(counted.length > 1, text);
  assert.deepEqual(
    counted,
    counted.toSorted((a, b) => a - b),
  );
  assert.deepEqual(new Set(halves), new Set([0]));
  assert.match(text, /first 2\n$/);
});
