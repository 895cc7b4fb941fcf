// A commit that the node refuses ends in an error for the client that made it, whatever the way in
// which the journal mode ends a transaction, and leaves the database as it was.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { requirePart } from '@skein/testkit';

import { connect } from './clients.ts';
import { shareNode } from './shared-node.ts';

describe('A refused commit', () => {
  const shared = shareNode();

  for (const journalMode of ['delete', 'truncate', 'persist'] as const) {
    for (const synchronous of ['OFF', 'FULL'] as const) {
      test(`${journalMode}, synchronous ${synchronous}: the client goes on`, async (t) => {
        if (!requirePart(t, 'fuse', 'root')) return;
        const node = shared();
        const path = node.path(`refused-${journalMode}-${synchronous}.db`);
        const db = await connect(t, path, { journalMode, synchronous, pageSize: 4096 });
        await db.exec('CREATE TABLE t (x)');
        await db.exec('INSERT INTO t VALUES (1)');
        // Refused by design: a database keeps its page size.
        await db.exec('PRAGMA page_size = 1024');
        await db.exec('VACUUM').catch(() => {});
        await db.close();

        const next = await connect(t, path, { journalMode, synchronous });
        assert.deepEqual(await next.exec('SELECT x FROM t'), [[1]]);
        await next.exec('INSERT INTO t VALUES (2)');
        assert.equal(await next.value('PRAGMA page_size'), 4096);
        assert.deepEqual(await next.exec('PRAGMA integrity_check'), [['ok']]);
        await next.close();
      });
    }
  }
});
