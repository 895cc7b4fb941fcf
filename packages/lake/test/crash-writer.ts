// A writer that kills itself at a step, for crash.host.test.ts: `node crash-writer.ts CONFIG`.
// Prints `acknowledged N` for each insert that was answered.

import { readFileSync } from 'node:fs';

import { createLakeEngine } from '../src/engine/engine.ts';
import type { EngineStep, Extensions } from '../src/engine/ports.ts';
import { alwaysWriter } from '../src/engine/role-sources.ts';
import { ask } from './ask.ts';

export interface CrashWriterConfig {
  readonly catalogPath: string;
  readonly dataPath: string;
  readonly scratchFolder: string;
  readonly extensions: Extensions;
  /** Where it dies, and at which time that this step comes; never without it. */
  readonly killAt: EngineStep | undefined;
  readonly killCount: number;
  readonly firstId: number;
  readonly rounds: number;
}

const config = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as CrashWriterConfig;
let count = 0;
let isArmed = false;

const engine = await createLakeEngine({
  ...config,
  role: alwaysWriter(),
  externalTables: {
    allowHosts: [],
    allowPrivate: false,
    maxBytes: 0,
    timeoutMs: 0,
    allowFolders: [],
  },
  maintenance: {
    intervalMs: 0,
    inlineRowsMax: 10,
    flushRows: 1,
    flushAfterMs: 0,
    targetFileBytes: 100_000_000,
    keepSnapshotsMs: 0,
    keepFilesMs: 0,
  },
  onStep: (step) => {
    if (!isArmed || step !== config.killAt) return;
    count += 1;
    if (count === config.killCount) process.kill(process.pid, 'SIGKILL');
  },
});
await ask(engine, 'CREATE TABLE IF NOT EXISTS t (id INT, part INT, filler VARCHAR)');
isArmed = true;
for (let round = 0; round < config.rounds; round += 1) {
  const id = config.firstId + round;
  // By turns inlined and as a file: both halves of a write in one request.
  const rows = round % 2 === 0 ? 2 : 200;
  await ask(
    engine,
    `INSERT INTO t SELECT ${id}, i, repeat('x', 20) FROM range(${rows}) r(i);
     INSERT INTO t SELECT ${id}, ${rows} + i, '' FROM range(${rows}) r(i)`,
  );
  process.stdout.write(`acknowledged ${id}\n`);
  if (round % 3 === 2) await engine.maintain();
}
await engine.close();
