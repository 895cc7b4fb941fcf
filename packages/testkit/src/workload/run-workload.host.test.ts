import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';

import { requirePart } from '../require-part.ts';
import { startSqlite } from '../sqlite/sqlite-process.ts';
import { tempDir } from '../temp-dir.ts';
import { runWorkload, type WorkloadOutcome } from './run-workload.ts';
import { createWorkload, type WorkloadStep } from './workload.ts';

async function runOnFile(
  t: TestContext,
  steps: readonly WorkloadStep[],
): Promise<{ bytes: Buffer; outcomes: WorkloadOutcome[] }> {
  const path = join(tempDir(t), 'app.db');
  const client = startSqlite(t);
  await client.open(path);
  const outcomes = await runWorkload(client, steps);
  await client.close();
  return { bytes: readFileSync(path), outcomes };
}

describe('runWorkload()', () => {
  test('leaves equal bytes and outcomes every time, and a sound database', async (t) => {
    if (!requirePart(t, 'python3')) return;
    for (let seed = 0; seed < 6; seed += 1) {
      const steps = createWorkload({ seed, length: 150 });
      const [one, other] = [await runOnFile(t, steps), await runOnFile(t, steps)];
      assert.deepEqual(one.outcomes, other.outcomes, `seed ${seed}`);
      assert.ok(one.bytes.equals(other.bytes), `files differ, seed ${seed}`);
      assert.deepEqual(one.outcomes.at(-1), [['ok']], `seed ${seed}`);
    }
  });

  test('knows when a transaction is open, and fails only at constraints', () => {
    const kinds = new Map<string, number>();
    let failures = 0;
    for (let seed = 0; seed < 20; seed += 1) {
      const database = new DatabaseSync(':memory:');
      for (const { sql, params, isSettled } of createWorkload({ seed })) {
        const kind = /^(PRAGMA \w+|\w+ ?(TABLE|INDEX|TO|OR)?)/.exec(sql)![0];
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        try {
          const statement = database.prepare(sql);
          statement.setReadBigInts(true);
          statement.all(...params);
        } catch (error) {
          failures += 1;
          const { message } = error as Error;
          assert.match(message, /UNIQUE constraint failed/, `seed ${seed}: ${sql}`);
        }
        assert.equal(database.isTransaction, !isSettled, `seed ${seed}: ${sql}`);
      }
      database.close();
    }
    const total = [...kinds.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(failures > 0 && failures < total / 20, `${failures} of ${total} failed`);
    for (const kind of ['VACUUM', 'ROLLBACK TO', 'RELEASE ', 'DROP TABLE', 'ALTER TABLE']) {
      assert.ok(kinds.get(kind)! > 5, `${kind}: ${kinds.get(kind)}`);
    }
  });

  test('spills the page cache in rollback modes and makes databases of some size', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const steps = createWorkload({
      seed: 3,
      length: 300,
      journalModes: ['delete'],
      pageSize: 1024,
    });
    const path = join(tempDir(t), 'app.db');
    const client = startSqlite(t);
    await client.open(path);
    let spills = 0;
    let [counter, sizeMax] = ['', 0];
    await runWorkload(client, steps, (step) => {
      const bytes = readFileSync(path);
      sizeMax = Math.max(sizeMax, bytes.length);
      // A file that changes while its transaction is open.
      const now = bytes.toString('base64');
      if (!step.isSettled && counter !== '' && now !== counter) spills += 1;
      counter = now;
    });
    assert.ok(spills > 3, `${spills} spills`);
    assert.ok(sizeMax > 300_000, `${sizeMax} bytes`);
  });
});
