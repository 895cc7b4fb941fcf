// A client is killed before each of its requests in turn, in the middle of a transaction. The next
// client sees the state before the transaction or after it, the log says the same, and the next
// transaction works.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { WAL_WRITE_LOCK } from '@skein/sqlite-file';
import { SeededRandom } from '@skein/testkit';

import { checkChecksums, checkReplay, readState } from './inspect.ts';
import {
  commitRollback,
  commitTogether,
  JOURNAL_ENDS,
  rollBackHotJournal,
  RollbackWriter,
} from './rollback-client.ts';
import { changedPages, equalPages, inMode, type Pages, samplePages } from './sample-database.ts';
import { SimNode } from './sim-node.ts';
import { SqliteClient } from './sqlite-client.ts';
import { WalClient } from './wal-client.ts';

const NAME = 'app.db';
const OTHER = 'other.db';
const PID = 4711;

/** One for every request: it has to be the same transaction each time. */
const SEED = 2;
const BIG = { segmentBytes: 1024 * 1024, checkpointBytes: 1024 * 1024 };

/** Runs `check` for a client that is killed before its first request, its second, and so on. */
function forEveryRequest(check: (requestCount: number) => 'killed' | 'done'): void {
  let count = 0;
  while (check(count) === 'killed') count++;
  assert(count > 3, `There were only ${count} requests`);
}

describe('a client that is killed in a rollback mode', () => {
  for (const end of JOURNAL_ENDS) {
    test(`leaves its transaction whole or not at all (${end})`, () => {
      forEveryRequest((count) => {
        const random = new SeededRandom(SEED);
        const node = new SimNode(BIG);
        const before = samplePages(random, 512, 9);
        commitRollback(new SqliteClient(node, NAME), before, { end });
        const next = changedPages(random, before, { changesMax: 5 });
        const victim = new SqliteClient(node, NAME);
        const writer = new RollbackWriter(victim, next, { end });
        const outcome = node.killAfter(count, () => {
          writer.writeJournal();
          writer.writePages();
          writer.finish();
        });
        writer.giveUp();

        const reader = new SqliteClient(node, NAME);
        rollBackHotJournal(reader);
        const found = reader.pages();
        assert(equalPages(found, before) || equalPages(found, next), `request ${count}`);
        if (outcome === 'done') assert(equalPages(found, next), 'a commit that was answered');
        checkNext(node, reader, changedPages(random, found));
        return outcome;
      });
    });
  }

  test('leaves a transaction over two databases in both or in neither', () => {
    for (const end of JOURNAL_ENDS) forEveryRequest((count) => killTogether(end, count));
  });
});

function killTogether(end: (typeof JOURNAL_ENDS)[number], count: number): 'killed' | 'done' {
  const random = new SeededRandom(SEED);
  const node = new SimNode(BIG);
  const names = [NAME, OTHER];
  const befores = names.map(() => samplePages(random, 512, 6));
  for (const [n, name] of names.entries()) {
    commitRollback(new SqliteClient(node, name), befores[n]!, { end });
  }
  const nexts = befores.map((pages) => changedPages(random, pages, { changesMax: 4 }));
  const clients = names.map((name) => new SqliteClient(node, name));
  const outcome = node.killAfter(count, () =>
    commitTogether(
      `${NAME}-mjABCDEF901`,
      clients.map((client, n) => [client, nexts[n]!]),
      end,
    ),
  );

  const readers = names.map((name) => new SqliteClient(node, name));
  for (const reader of readers) rollBackHotJournal(reader);
  const found = readers.map((reader) => reader.pages());
  const isNext = found.map((pages, n) => equalPages(pages, nexts[n]));
  const isBefore = found.map((pages, n) => equalPages(pages, befores[n]));
  assert(isNext.every(Boolean) || isBefore.every(Boolean), `${end}, request ${count}`);
  if (outcome === 'done') assert(isNext.every(Boolean), 'a commit that was answered');
  checkNext(node, readers[0]!, changedPages(random, found[0]!));
  return outcome;
}

function checkNext(node: SimNode, client: SqliteClient, next: Pages): void {
  commitRollback(client, next, { end: 'delete' });
  assert(equalPages(client.pages(), next), 'The next transaction is not there');
  checkChecksums(node);
  const state = readState(node);
  assert(equalPages(state.get(client.name), next));
  node.close();
  checkReplay(node.disk, state);
}

describe('a client that is killed in WAL mode', () => {
  for (const isFirst of [true, false]) {
    const what = isFirst ? 'the first of a WAL' : 'a later one';
    test(`leaves its transaction whole or not at all, ${what}; others know of it`, () => {
      forEveryRequest((count) => {
        const random = new SeededRandom(SEED);
        const node = new SimNode(BIG);
        let before = inMode(samplePages(random, 512, 9), 'wal');
        commitRollback(new SqliteClient(node, NAME), before, { end: 'delete' });
        const other = new WalClient(new SqliteClient(node, NAME), random);
        if (!isFirst) {
          before = changedPages(random, before);
          other.commit(before, { syncs: true });
        }
        const next = changedPages(random, before, { changesMax: 5 });
        const victim = new WalClient(new SqliteClient(node, NAME), random);
        node.lockHolders.set(`${NAME}-shm:${WAL_WRITE_LOCK}`, PID);
        const outcome = node.killAfter(count, () => victim.commit(next, { syncs: true }));
        victim.die(PID);
        node.lockHolders.clear();

        // Nothing but the wal-index tells the others.
        const found = other.pages();
        assert(equalPages(found, before) || equalPages(found, next), `request ${count}`);
        if (outcome === 'done') assert(equalPages(found, next), 'a commit that was answered');
        assert(equalPages(readState(node).get(NAME), found), 'the log says something else');
        const last = changedPages(random, found);
        other.commit(last, { syncs: true });
        assert(equalPages(other.pages(), last), 'the next transaction is not there');
        checkChecksums(node);
        node.close();
        checkReplay(node.disk, new Map([[NAME, last]]));
        return outcome;
      });
    });
  }

  test('is not completed while it lives, when another process closes the index', () => {
    const random = new SeededRandom(1);
    const node = new SimNode();
    const before = inMode(samplePages(random, 512, 4), 'wal');
    commitRollback(new SqliteClient(node, NAME), before, { end: 'delete' });
    const writer = new WalClient(new SqliteClient(node, NAME), random);
    const closing = new WalClient(new SqliteClient(node, NAME), random);
    node.lockHolders.set(`${NAME}-shm:${WAL_WRITE_LOCK}`, PID);
    writer.commit(changedPages(random, before), { syncs: true, diesBeforeIndex: true });
    closing.die(PID + 1);
    assert(equalPages(writer.pages(), before));
  });
});
