// The writer is killed at each step of a write and of maintenance, and at moments in between. After
// that: whole requests or nothing of them, nothing acknowledged is lost, the writer goes on, and
// what a crash has left in the data folder goes away.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { RecordingLog, SeededRandom, SOURCE_FLAGS, tempDir } from '@skein/testkit';

import type { EngineStep, RoleSource } from '../src/engine/ports.ts';
import { alwaysWriter } from '../src/engine/role-sources.ts';
import { provideExtensions } from '../src/store/extensions.ts';
import { ask, rowsOf } from './ask.ts';
import type { CrashWriterConfig } from './crash-writer.ts';
import { createRealEngine, EXTENSIONS_CACHE } from './real-engine.ts';

const STEPS: readonly EngineStep[] = [
  'write.begin',
  'write.statement',
  'write.commit',
  'write.committed',
  'maintenance.flush',
  'maintenance.merge',
  'maintenance.expire',
  'maintenance.remove',
];
const WRITER = join(import.meta.dirname, 'crash-writer.ts');
const SEED = Number(process.env['SEED'] ?? 1);
/** Kills at moments that no step names: within uploads, commits, merges. */
const RANDOM_KILLS = process.env['SKEIN_TEST_LARGE'] === '1' ? 40 : 2;

const ROUNDS_MAX = 100_000;

interface Run {
  readonly acknowledged: number[];
  readonly wasKilled: boolean;
}

/** Ends with the writer; `killAfterMs` counts from its first acknowledgement. */
async function runWriter(
  configPath: string,
  config: CrashWriterConfig,
  killAfterMs?: number,
): Promise<Run> {
  writeFileSync(configPath, JSON.stringify(config));
  const child = spawn(process.execPath, [...SOURCE_FLAGS, WRITER, configPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) {
    const isFirst = text === '';
    text += String(chunk);
    if (isFirst && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  }
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve));
  }
  const acknowledged = [...text.matchAll(/acknowledged (\d+)\n/g)].map(([, id]) => Number(id));
  return { acknowledged, wasKilled: child.signalCode === 'SIGKILL' };
}

test('X-04 a writer that is killed at any step loses nothing acknowledged', async (t) => {
  const folder = tempDir(t);
  for (const name of ['data', 'scratch', 'check']) mkdirSync(join(folder, name));
  const extensions = await provideExtensions({
    cacheFolder: EXTENSIONS_CACHE,
    needsHttpfs: false,
    log: new RecordingLog(),
  });
  const base = {
    catalogPath: join(folder, 'catalog.db'),
    dataPath: `${join(folder, 'data')}/`,
    extensions,
  };
  const random = new SeededRandom(SEED);
  t.diagnostic(`SEED=${SEED}`);
  const acknowledged = new Set<number>();
  const reading = await readAllAlong(t, base, join(folder, 'reader'));
  let firstId = 0;
  const kills = [
    ...STEPS.map((killAt) => ({ killAt, killAfterMs: undefined })),
    ...Array.from({ length: RANDOM_KILLS }, () => ({
      killAt: undefined,
      killAfterMs: random.int(0, 400),
    })),
  ];
  for (const { killAt, killAfterMs } of kills) {
    const config: CrashWriterConfig = {
      ...base,
      scratchFolder: join(folder, 'scratch'),
      killAt,
      killCount: killAt?.startsWith('maintenance') === true ? 1 : random.int(1, 3),
      firstId,
      // More than it can do until it is killed, however late that comes.
      rounds: killAfterMs === undefined ? 6 : ROUNDS_MAX,
    };
    const run = await runWriter(join(folder, 'config.json'), config, killAfterMs);
    assert.ok(run.wasKilled, `${killAt ?? `after ${killAfterMs ?? 0} ms`}: it was to be killed`);
    for (const id of run.acknowledged) acknowledged.add(id);
    await checkLake(base, join(folder, 'check'), acknowledged);
    firstId += ROUNDS_MAX;
  }
  await reading.stop();
  await checkOrphans(t, base, join(folder, 'check'));
});

/**
 * A reader that asks all the time. It is always answered, with whole requests, and never with fewer
 * than before.
 */
async function readAllAlong(
  t: TestContext,
  base: Base,
  scratchFolder: string,
): Promise<{ stop(): Promise<void> }> {
  mkdirSync(scratchFolder);
  const role: RoleSource = { ...alwaysWriter(), role: 'reader' };
  const reader = await createRealEngine(t, { ...base, scratchFolder, role });
  t.after(() => reader.close());
  const stopped = new AbortController();
  let answers = 0;
  const loop = (async () => {
    let most = 0;
    while (!stopped.signal.aborted) {
      let rows: unknown[][];
      try {
        rows = await rowsOf(reader, `SELECT count(*) AS n FROM t GROUP BY id`);
      } catch (error) {
        // Before the first start of a writer there is no lake.
        const isTooEarly = answers === 0 && /does not exist|Cannot open/.test(String(error));
        if (!isTooEarly) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      for (const [count] of rows) assert.ok(count === 4 || count === 400, `${String(count)} rows`);
      assert.ok(rows.length >= most, 'a reader sees what it has seen before');
      most = rows.length;
      answers += 1;
    }
  })();
  // Its failure is looked at when it is stopped.
  loop.catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await loop;
      t.diagnostic(`${answers} answers while the writer was killed`);
      assert.ok(answers > 0);
    },
  };
}

type Base = Pick<CrashWriterConfig, 'catalogPath' | 'dataPath' | 'extensions'>;

/** By an engine that starts where the killed one has left off. */
async function checkLake(
  base: Base,
  scratchFolder: string,
  acknowledged: ReadonlySet<number>,
): Promise<void> {
  const engine = await createRealEngine({ after: () => undefined }, { ...base, scratchFolder });
  try {
    const rows = await rowsOf(
      engine,
      'SELECT id, count(*), count(DISTINCT part) FROM t GROUP BY id ORDER BY id',
    );
    const found = new Set<number>();
    for (const [id, count, parts] of rows as number[][]) {
      assert.ok(count === 4 || count === 400, `request ${id!} is there by half: ${count!} rows`);
      assert.equal(parts, count, `request ${id!} is there twice`);
      found.add(id!);
    }
    for (const id of acknowledged) assert.ok(found.has(id), `request ${id} was acknowledged`);
    assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM t'), [
      [rows.reduce((sum, row) => sum + Number(row[1]), 0)],
    ]);
  } finally {
    await engine.close();
  }
}

/** With nothing to keep, maintenance leaves the files that the newest snapshot names. */
async function checkOrphans(
  t: Parameters<typeof createRealEngine>[0],
  base: Base,
  scratchFolder: string,
): Promise<void> {
  const maintenance = {
    intervalMs: 0,
    inlineRowsMax: 10,
    flushRows: 1,
    flushAfterMs: 0,
    targetFileBytes: 100_000_000,
    keepSnapshotsMs: 1,
    keepFilesMs: -3 * 24 * 60 * 60 * 1000,
  };
  const engine = await createRealEngine(t, { ...base, scratchFolder, maintenance });
  t.after(() => engine.close());
  const before = await rowsOf(engine, 'SELECT count(*), sum(part) FROM t');
  await engine.maintain();
  await engine.maintain();
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*), sum(part) FROM t'), before);
  const info = await rowsOf(
    engine,
    `SELECT sum(file_count + delete_file_count)::INT FROM ducklake_table_info('lake')`,
  );
  const files = readdirSync(base.dataPath, { recursive: true }).filter((name) =>
    String(name).endsWith('.parquet'),
  );
  assert.equal(files.length, info[0]![0]);
  await ask(engine, 'DROP TABLE t');
}
