// A client of a rollback mode is killed at every step of a transaction, before its commit, in it
// and after it: the next client sees the state before or after, and goes on.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { type JournalMode, requirePart } from '@skein/testkit';

import { connect, numbers, rowsOf, rowsOfFile } from './clients.ts';
import { Faults } from './faults.ts';
import { replayInto } from './replay-log.ts';
import { startNode } from './test-node.ts';

/** The log is copied and replayed after every step. */
const config = { segmentBytes: 256 * 1024 };

const NAME = 'app.db';

interface Transaction {
  readonly statements: readonly string[];
  /** Without passthrough the node sees each write to the journal: more steps. */
  readonly passthrough: 'auto' | 'off';
}

const TRANSACTIONS: Readonly<Record<string, Transaction>> = {
  'a small transaction': {
    statements: ["UPDATE t SET body = body || '!' WHERE id IN (1, 40)"],
    passthrough: 'off',
  },
  'a transaction that is spilled': {
    statements: ['PRAGMA cache_size = 5', 'BEGIN', "UPDATE t SET body = body || '!'", 'COMMIT'],
    passthrough: 'auto',
  },
};

const MODES: readonly JournalMode[] = ['delete', 'truncate', 'persist'];

describe('A client that is killed in a transaction', () => {
  for (const journalMode of MODES) {
    for (const [title, { statements, passthrough }] of Object.entries(TRANSACTIONS)) {
      test(`${journalMode}: ${title}, at every step`, async (t) => {
        if (!requirePart(t, 'fuse', 'root', 'python3')) return;
        const faults = new Faults(t);
        const node = await startNode(t, {
          preload: faults.preload,
          timeoutMs: 600_000,
          config: { ...config, passthrough },
        });
        const second = await connect(t, node.path(NAME), { journalMode, busyTimeoutMs: 5000 });
        await second.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
        await second.exec(`INSERT INTO t SELECT i, printf('%0200d', i) FROM (${numbers(100)})`);
        let steps = 0;
        for (let isStruck = true; isStruck; steps++) {
          const before = await rowsOf(second);
          const victim = await connect(t, node.path(NAME), { journalMode, synchronous: 'FULL' });
          faults.order({ on: 'request', pid: victim.pid, skip: steps, action: 'kill-client' });
          let isAcknowledged = true;
          try {
            for (const statement of statements) await victim.exec(statement);
          } catch {
            isAcknowledged = false;
          }
          const { struck } = faults;
          isStruck = struck !== undefined;
          faults.disarm();
          await victim.kill();

          // Rolls back what the dead client left, if it left something.
          const after = await rowsOf(second);
          const isThere = JSON.stringify(before) !== JSON.stringify(after);
          assert.ok(isThere || !isAcknowledged, `An acknowledged transaction is lost: ${struck}`);
          await second.exec('INSERT INTO t (body) VALUES (?)', [struck ?? 'end']);
          assert.deepEqual(await second.exec('PRAGMA integrity_check'), [['ok']]);
          const replayed = rowsOfFile(join(replayInto(t, node.dataFolder), NAME));
          assert.deepEqual(replayed, await rowsOf(second), `The log differs: ${struck}`);
        }
        assert.ok(steps > 5, `Only ${steps} steps`);
      });
    }
  }
});
