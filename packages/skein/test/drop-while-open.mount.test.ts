// A database is removed while clients have it open: they get errors, and live; the name can be used
// again at once.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';

import { JOURNAL_MODES, requirePart, SqliteError } from '@skein/testkit';

import { connect, rowsOf } from './clients.ts';
import { shareNode } from './shared-node.ts';

for (const passthrough of ['auto', 'off'] as const) {
  describe(`rm of a database that is open, passthrough ${passthrough}`, () => {
    const shared = shareNode({ config: { passthrough } });

    for (const journalMode of JOURNAL_MODES) {
      test(journalMode, async (t) => {
        if (!requirePart(t, 'fuse', 'root', 'python3')) return;
        const node = shared();
        const name = `${journalMode}.db`;
        const writer = await connect(t, node.path(name), { journalMode });
        await writer.exec('CREATE TABLE t (a)');
        await writer.exec('INSERT INTO t VALUES (1)');
        const reader = await connect(t, node.path(name));
        assert.deepEqual(await rowsOf(reader), [[1]]);

        rmSync(node.path(name));
        await assert.rejects(rowsOf(reader), SqliteError);
        await assert.rejects(writer.exec('INSERT INTO t VALUES (2)'), SqliteError);

        const next = await connect(t, node.path(name), { journalMode });
        await next.exec('CREATE TABLE t (b)');
        await next.exec('INSERT INTO t VALUES (3)');
        assert.deepEqual(await rowsOf(next), [[3]]);
        assert.deepEqual(await next.exec('PRAGMA integrity_check'), [['ok']]);
      });
    }
  });
}
