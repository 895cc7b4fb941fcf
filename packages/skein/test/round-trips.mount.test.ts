// FUSE round trips a transaction: the steady figure behind the speed of the mount, as the daemon
// counts them. With journals in passthrough (Linux 6.9, root) and without.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isWaitedFor, OPCODE, type OpcodeName } from '@skein/fuse';
import { JOURNAL_MODES, type JournalMode, requirePart } from '@skein/testkit';

import { ApiClient } from '../src/api/client.ts';
import { connect } from './clients.ts';
import { startNode, type TestNode } from './test-node.ts';

/** One-row INSERTs with synchronous=FULL: at most so many requests each that a client waits for. */
const WRITE_MAX: Readonly<Record<'auto' | 'off', Readonly<Record<JournalMode, number>>>> = {
  auto: { delete: 10, truncate: 10, persist: 10, wal: 4 },
  // SQLite writes a record of the journal in three pieces, and nothing merges them.
  off: { delete: 19, truncate: 19, persist: 20, wal: 4 },
};

const ROUNDS = 50;

/** Requests so far that somebody waited for. */
async function countRequests(node: TestNode): Promise<number> {
  const metrics = await new ApiClient(node.dataFolder).metrics();
  const samples = metrics.matchAll(/^skein_fuse_requests_total\{opcode="(\w+)"\} (\d+)$/gm);
  let count = 0;
  for (const [, name, value] of samples) {
    if (isWaitedFor(OPCODE[name as OpcodeName])) count += Number(value);
  }
  assert.ok(count > 0, 'Nothing was counted');
  return count;
}

/** Requests a round of what is done ROUNDS times. */
async function requestsPerRound(node: TestNode, act: () => Promise<unknown>): Promise<number> {
  // What is only asked at first is not counted.
  for (let round = 0; round < 5; round++) await act();
  const before = await countRequests(node);
  for (let round = 0; round < ROUNDS; round++) await act();
  return ((await countRequests(node)) - before) / ROUNDS;
}

describe('FUSE round trips a transaction', () => {
  for (const passthrough of ['auto', 'off'] as const) {
    test(`passthrough ${passthrough}`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const node = await startNode(t, { config: { passthrough } });
      const { isActive } = (await new ApiClient(node.dataFolder).status()).passthrough;
      const limits = WRITE_MAX[isActive ? 'auto' : 'off'];
      for (const journalMode of JOURNAL_MODES) {
        const path = node.path(`${journalMode}.db`);
        const client = await connect(t, path, { journalMode, synchronous: 'FULL' });
        await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
        const insert = (): Promise<unknown> => client.exec("INSERT INTO t (body) VALUES ('row')");
        const written = await requestsPerRound(node, insert);
        const read = await requestsPerRound(node, () => client.exec('SELECT max(id) FROM t'));
        t.diagnostic(`${journalMode}: ${written} a one-row write, ${read} a one-row read`);
        // A page more now and then, when one is full.
        assert.ok(written <= limits[journalMode] + 0.5, `${journalMode}: ${written}`);
        assert.equal(read, 0, `${journalMode}, reading`);
        await client.close();
      }
    });
  }
});
