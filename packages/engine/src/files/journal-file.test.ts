// Journals that the kernel writes by itself (FUSE_PASSTHROUGH): the node sees a sync, a truncation,
// a removal, and has to find the rest.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import { checkChecksums, readState } from '../../test/inspect.ts';
import { commitRollback, JOURNAL_ENDS, RollbackWriter } from '../../test/rollback-client.ts';
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

function setUp(end: (typeof JOURNAL_ENDS)[number], pageCount = 6): Setup {
  const node = new SimNode({ canPassThrough: true });
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
