// When nothing is accepted any more, a journal that is in place must not stop the readers: whoever
// finds a hot journal tries to play it back, and could not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import { JOURNAL_ENDS, rollBackHotJournal, RollbackWriter } from '../../test/rollback-client.ts';
import { commitRollback } from '../../test/rollback-client.ts';
import { changedPages, equalPages, type Pages, samplePages } from '../../test/sample-database.ts';
import { SimNode } from '../../test/sim-node.ts';
import { SqliteClient } from '../../test/sqlite-client.ts';
import { EngineError } from '../errors.ts';

const NAME = 'app.db';

interface Setup {
  readonly node: SimNode;
  readonly before: Pages;
  readonly writer: RollbackWriter;
}

/** A client with a transaction that is ready: `isWritten` or only saved in the journal. */
function setUp(end: (typeof JOURNAL_ENDS)[number], isWritten: boolean): Setup {
  const random = new SeededRandom(3);
  const node = new SimNode();
  const before = samplePages(random, 512, 8);
  commitRollback(new SqliteClient(node, NAME), before, { end });
  const next = changedPages(random, before, { changesMax: 6 });
  const writer = new RollbackWriter(new SqliteClient(node, NAME), next, { end });
  writer.writeJournal();
  if (isWritten) writer.writePages();
  return { node, before, writer };
}

function checkReaders({ node, before }: Setup): void {
  const reader = new SqliteClient(node, NAME);
  rollBackHotJournal(reader);
  assert(equalPages(reader.pages(), before), 'Readers see something else');
  reader.close();
}

for (const end of JOURNAL_ENDS) {
  describe(`a hot journal, mode ${end}`, () => {
    test('is given up when the log cannot be synced', () => {
      const setup = setUp(end, true);
      setup.node.disk.failAt({ n: 1, op: 'log.sync', error: 'EIO' });
      assert.throws(() => setup.writer.finish(), { code: 'LOG_FAILED' });
      checkReaders(setup);
    });

    test('is given up when the log of another database fails meanwhile', () => {
      for (const isWritten of [false, true]) {
        const setup = setUp(end, isWritten);
        setup.node.disk.failAt({ n: 1, op: 'log.sync', error: 'EIO' });
        const other = new SqliteClient(setup.node, 'other.db');
        const pages = samplePages(new SeededRandom(1), 512, 3);
        assert.throws(() => commitRollback(other, pages, { end }), { code: 'LOG_FAILED' });
        checkReaders(setup);
        // The client has written all it wanted: it must not take the end for a commit.
        if (isWritten) assert.throws(() => setup.writer.finish(), { code: 'LOG_FAILED' });
        else assert.throws(() => setup.writer.writePages(), { code: 'LOG_FAILED' });
        checkReaders(setup);
      }
    });

    test('is given up when the disk is full, and the next transaction works', () => {
      const setup = setUp(end, true);
      const { node, before, writer } = setup;
      node.disk.failAt({ n: 1, op: 'log.append', error: 'ENOSPC', when: 'midway' });
      assert.throws(() => writer.finish(), { code: 'ENOSPC' });
      writer.giveUp();
      checkReaders(setup);
      const next = changedPages(new SeededRandom(5), before);
      const client = new SqliteClient(node, NAME);
      commitRollback(client, next, { end });
      assert(equalPages(client.pages(), next));
    });

    test('is given up when the database becomes read only', () => {
      for (const isWritten of [false, true]) {
        const setup = setUp(end, isWritten);
        const files = setup.node.engine.store.findDatabase(NAME)!;
        files.refuseWrites(new EngineError('DATABASE_BROKEN', 'Not a primary any more'));
        const abandoned = files.abandon();
        if (abandoned !== undefined) setup.node.settle(abandoned);
        checkReaders(setup);
        const finish = isWritten
          ? (): void => setup.writer.finish()
          : (): void => setup.writer.writePages();
        assert.throws(finish, { code: 'DATABASE_BROKEN' });
        checkReaders(setup);
      }
    });

    test('may be played back when nothing is accepted, since that changes nothing', () => {
      const setup = setUp(end, false);
      const { node, writer } = setup;
      // A journal that the kernel writes by itself is not seen, nor can it be refused.
      node.engine.store.findDatabase(NAME)!.refuseWrites(new EngineError('DATABASE_BROKEN', 'So'));
      writer.rollBack();
      checkReaders(setup);
    });
  });
}
