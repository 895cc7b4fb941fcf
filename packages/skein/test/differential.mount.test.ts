// The same random workload on a plain file and through the mount: every statement has the same
// outcome, and the databases have equal bytes. The log, replayed from its beginning, has them too.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import {
  createWorkload,
  requirePart,
  runWorkload,
  tempDir,
  type WorkloadOutcome,
  type WorkloadStep,
} from '@skein/testkit';

import { connect } from './clients.ts';
import { replayLog } from './replay-log.ts';
import { shareNode } from './shared-node.ts';

const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const SEED_COUNT = Number(process.env['SEEDS'] ?? 8);

async function run(
  t: TestContext,
  path: string,
  steps: readonly WorkloadStep[],
): Promise<WorkloadOutcome[]> {
  const client = await connect(t, path);
  const outcomes = await runWorkload(client, steps);
  // In WAL mode the last connection copies all frames into the database and removes the WAL.
  await client.close();
  return outcomes;
}

describe('A random workload on the mount and on a plain file', () => {
  const node = shareNode({
    timeoutMs: 180_000,
    // Less than one transaction may have.
    config: { overlayBytes: 256 * 1024 },
  });

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEED_COUNT; seed++) {
    test(`seed ${seed}`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const replay = `replay with SEED=${seed} SEEDS=1 node tools/run.mjs test mount differential`;
      const name = `${seed}.db`;
      const steps = createWorkload({ seed, length: 250 });
      const plain = join(tempDir(t), name);
      const expected = await run(t, plain, steps);
      const outcomes = await run(t, node().path(name), steps);
      for (const [n, outcome] of outcomes.entries()) {
        assert.deepEqual(outcome, expected[n], `Step ${n}, ${steps[n]!.sql}: ${replay}`);
      }
      const bytes = readFileSync(plain);
      assert.ok(readFileSync(node().path(name)).equals(bytes), `The mount differs: ${replay}`);
      const replayed = replayLog(t, node().dataFolder).get(name)!;
      assert.ok(replayed.equals(bytes), `The log differs: ${replay}`);
    });
  }
});
