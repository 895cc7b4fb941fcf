// The daemon is killed at random moments while clients write, and started again: every acknowledged
// transaction is there, every other one whole or absent.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { JOURNAL_MODES, requirePart, SeededRandom, type SqliteProcess } from '@skein/testkit';

import { connect } from './clients.ts';
import { replayLog } from './replay-log.ts';
import { startNode } from './test-node.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const REPLAY = `replay with SEED=${SEED} node tools/run.mjs test mount daemon-dies`;
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const UPTIME_MS_MAX = 500;
/** Each transaction writes this many rows, on pages of their own. */
const ROWS_PER_TRANSACTION = 5;

/**
 * Writes transactions with ascending numbers until the daemon is gone; the last acknowledged.
 * `onFirst` is called when there is one.
 */
async function writeUntilEnd(
  client: SqliteProcess,
  first: number,
  onFirst: () => void,
): Promise<number> {
  let acknowledged = first - 1;
  try {
    for (let number = first; ; number++) {
      await client.exec('BEGIN IMMEDIATE');
      for (let row = 0; row < ROWS_PER_TRANSACTION; row++) {
        await client.exec('INSERT INTO t (number, body) VALUES (?, zeroblob(3000))', [number]);
      }
      await client.exec('COMMIT');
      acknowledged = number;
      onFirst();
    }
  } catch {
    return acknowledged;
  }
}

describe(`A daemon that is killed while clients write, seed ${SEED}`, () => {
  for (const [n, journalMode] of JOURNAL_MODES.entries()) {
    test(journalMode, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const random = new SeededRandom(SEED * 100 + n);
      // Checkpoints and rotations come often.
      const config = { segmentBytes: 256 * 1024, checkpointBytes: 512 * 1024 };
      const node = await startNode(t, { timeoutMs: 600_000, config });
      const path = node.path('app.db');
      const creator = await connect(t, path, { journalMode });
      await creator.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER, body BLOB)');
      await creator.close();
      let first = 1;
      for (let round = 0; round < ROUNDS; round++) {
        const client = await connect(t, path, { journalMode, synchronous: 'FULL' });
        const begun = Promise.withResolvers<void>();
        const written = writeUntilEnd(client, first, begun.resolve);
        await Promise.race([begun.promise, written]);
        await sleep(random.int(20, UPTIME_MS_MAX));
        await node.kill();
        const acknowledged = await written;
        await client.kill();
        await node.start();

        const reader = await connect(t, path);
        const counts = await reader.exec('SELECT number, count(*) FROM t GROUP BY 1 ORDER BY 1');
        const last = counts.length;
        const expected = Array.from({ length: last }, (_, i) => [i + 1, ROWS_PER_TRANSACTION]);
        assert.deepEqual(counts, expected, `A transaction is there in part: ${REPLAY}`);
        const isPossible = last === acknowledged || last === acknowledged + 1;
        assert.ok(isPossible, `${acknowledged} acknowledged, ${last} there: ${REPLAY}`);
        assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']], REPLAY);
        await reader.close();
        first = last + 1;
      }
      assert.ok(first > ROUNDS, 'Nothing was written');
      assert.ok(replayLog(t, node.dataFolder).has('app.db'));
    });
  }
});
