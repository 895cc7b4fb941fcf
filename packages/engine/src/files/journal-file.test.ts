// Journals that the kernel writes by itself (FUSE_PASSTHROUGH): the node sees a sync, a truncation,
// a removal, and has to find the rest.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import { checkChecksums, readState } from '../../test/inspect.ts';
import {
  commitRollback,
  commitTogether,
  JOURNAL_ENDS,
  rollBackHotJournal,
  RollbackWriter,
} from '../../test/rollback-client.ts';
import { changedPages, equalPages, type Pages, samplePages } from '../../test/sample-database.ts';
import { SimNode } from '../../test/sim-node.ts';
import { SqliteClient } from '../../test/sqlite-client.ts';

const NAME = 'app.db';

interface Setup {
  readonly node: SimNode;
  readonly client: SqliteClient;
  readonly random: SeededRandom;
  readonly first: Pages;
}

function setUp(end: (typeof JOURNAL_ENDS)[number], pageCount = 6, canPassThrough = true): Setup {
  const node = new SimNode({ canPassThrough });
  const random = new SeededRandom(5);
  const client = new SqliteClient(node, NAME);
  const first = samplePages(random, 512, pageCount);
  commitRollback(client, first, { end });
  return { node, client, random, first };
}

function check({ node, client }: Setup, expected: Pages): void {
  assert(equalPages(client.pages(), expected), 'The next reader sees something else');
  assert(equalPages(readState(node).get(NAME), expected), 'The log has something else');
  checkChecksums(node);
}

describe('a journal that is passed through', () => {
  for (const end of JOURNAL_ENDS) {
    for (const syncs of [true, false]) {
      test(`commits, mode ${end}, ${syncs ? 'with' : 'without'} syncs`, () => {
        const setup = setUp(end);
        let pages = setup.first;
        for (let n = 0; n < 10; n++) {
          pages = changedPages(setup.random, pages);
          commitRollback(setup.client, pages, { end, syncs });
          check(setup, pages);
        }
        assert(setup.node.disk.operations.some(({ op }) => op === 'kernel'));
      });
    }

    test(`rolls back, mode ${end}`, () => {
      const setup = setUp(end);
      const next = changedPages(setup.random, setup.first, { changesMax: 6 });
      const writer = new RollbackWriter(setup.client, next, { end });
      writer.writeJournal();
      writer.writePages();
      writer.rollBack();
      check(setup, setup.first);
    });
  }

  test('is committed at once, whatever its size, when nobody waits for its end', () => {
    const setup = setUp('persist', 10);
    const next = samplePages(setup.random, 512, 12_000);
    commitRollback(setup.client, next, { end: 'persist', syncs: false });
    check(setup, next);
  });
});

describe('a journal that has ended', () => {
  for (const canPassThrough of [false, true]) {
    for (const end of JOURNAL_ENDS) {
      const how = canPassThrough ? 'passed through' : 'not passed through';
      test(`is taken for none, and costs the disk no truncation, mode ${end}, ${how}`, () => {
        const { node, client, random, first } = setUp(end, 6, canPassThrough);
        const before = node.disk.operations.length;
        commitRollback(client, changedPages(random, first), { end });
        const name = `${NAME}-journal`;
        assert.equal(client.exists(name), end !== 'delete');
        if (end !== 'delete') assert.equal(node.engine.store.find(name)?.sizeBytes, 0);
        const { operations } = node.disk;
        assert.ok(!operations.slice(before).some(({ op }) => op === 'journal.empty.cut'));
      });

      test(`leaves no super-journal's name to the next one, mode ${end}, ${how}`, () => {
        const setup = setUp(end, 12, canPassThrough);
        const { node, client, random, first } = setup;
        const other = new SqliteClient(node, 'other.db');
        commitRollback(other, samplePages(random, 512, 3), { end });
        // All pages change, so that the journal is longer than the next.
        const all = samplePages(random, 512, 12);
        const otherNext = changedPages(random, other.pages());
        const superJournal = `${NAME}-mjABC123901`;
        commitTogether(
          superJournal,
          [
            [client, all],
            [other, otherNext],
          ],
          end,
        );
        check(setup, all);

        const writer = new RollbackWriter(client, all.with(1, first[1]!), { end });
        writer.writeJournal();
        writer.writePages();
        writer.giveUp();
        rollBackHotJournal(new SqliteClient(node, NAME));
        check(setup, all);
      });
    }
  }

  test('gives the space of a long one back', () => {
    const { node, client, random } = setUp('persist', 4000);
    commitRollback(client, samplePages(random, 512, 4000), { end: 'persist' });
    const journals = node.disk.operations.filter(({ op }) => op === 'journal.empty.cut');
    assert.equal(journals.length, 1);
  });
});
