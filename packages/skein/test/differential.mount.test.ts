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
import type { TestNode } from './test-node.ts';

const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const SEED_COUNT = Number(process.env['SEEDS'] ?? 8);

const replay = (seed: number): string =>
  `replay with SEED=${seed} SEEDS=1 node tools/run.mjs test mount differential`;

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

/** Where two databases differ, in words. */
function findDifference(actual: Buffer, expected: Buffer): string | undefined {
  if (actual.equals(expected)) return undefined;
  const offset = actual.findIndex((byte, at) => byte !== expected[at]);
  const sizes = `${actual.length} bytes, expected ${expected.length}`;
  return `${sizes}; first at ${offset}: ${actual[offset]} instead of ${expected[offset]}`;
}

describe('A random workload on the mount and on a plain file', () => {
  // Less memory than one transaction may need; journals in passthrough for every other seed.
  const nodes = (['auto', 'off'] as const).map((passthrough) =>
    shareNode({ timeoutMs: 600_000, config: { overlayBytes: 256 * 1024, passthrough } }),
  );
  const nodeOf = (seed: number): TestNode => nodes[seed % nodes.length]!();

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEED_COUNT; seed++) {
    test(`seed ${seed}`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const name = `${seed}.db`;
      const steps = createWorkload({ seed, length: 250 });
      const plain = join(tempDir(t), name);
      const expected = await run(t, plain, steps);
      const outcomes = await run(t, nodeOf(seed).path(name), steps);
      for (const [n, outcome] of outcomes.entries()) {
        assert.deepEqual(outcome, expected[n], `Step ${n}, ${steps[n]!.sql}: ${replay(seed)}`);
      }
      const bytes = readFileSync(plain);
      const actual = readFileSync(nodeOf(seed).path(name));
      assert.equal(findDifference(actual, bytes), undefined, `The mount differs: ${replay(seed)}`);
    });
  }

  test('the log, replayed from empty, gives the databases too', (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    let count = 0;
    for (const node of nodes) {
      for (const [name, bytes] of replayLog(t, node().dataFolder)) {
        const difference = findDifference(bytes, readFileSync(node().path(name)));
        assert.equal(difference, undefined, `${name}: ${replay(Number.parseInt(name, 10))}`);
        count++;
      }
    }
    assert.equal(count, SEED_COUNT);
  });
});
