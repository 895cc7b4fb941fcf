// A replica that was away for longer than the log reaches back: it gets the databases whole, and
// who reads there meanwhile notices nothing.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { requirePart } from '@skein/testkit';

import { connect, rowsOf } from './clients.ts';
import { startPair } from './node-pair.ts';
import type { PairStatus } from './pair-command.ts';
import { addRows, makeCounted, RestlessReader, writeMany } from './replica-reader.ts';

/** The log keeps next to nothing for those who do not follow it. */
const SHORT_LOG = {
  segmentBytes: 256 * 1024,
  checkpointBytes: 256 * 1024,
  retentionMs: 0,
  retentionBytesMax: 256 * 1024,
};

describe('A replica that was away for long', () => {
  for (const passthrough of ['auto', 'off'] as const) {
    test(`takes a snapshot under its readers (passthrough ${passthrough})`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const pair = await startPair(t, { config: { passthrough, ...SHORT_LOG } });
      const name = 'away.db';
      const source = pair.primary.path(name);
      const writer = await connect(t, source, { journalMode: 'wal' });
      await makeCounted(writer);
      await addRows(writer, 100);
      await pair.caughtUp(name);

      const path = pair.replica.path(name);
      const old = await connect(t, path);
      await old.exec('BEGIN');
      const before = await rowsOf(old);
      const restless = await RestlessReader.start(t, path, 'reopen');
      await pair.tell({ kind: 'pause' });
      await writeMany(source, { transactions: 300, rows: 10, bytes: 1000 });
      await writer.exec('DELETE FROM t WHERE id % 2 = 0');
      await writer.exec('UPDATE counted SET n = 100000');
      await writer.exec('DELETE FROM t');
      await writer.exec('UPDATE counted SET n = 0');
      await writeMany(source, { transactions: 400, rows: 10, bytes: 1000 });
      assert.deepEqual(await rowsOf(old), before);
      assert.equal((await restless.stopWell()) <= 100, true);

      await pair.tell({ kind: 'resume' });
      await pair.caughtUp(name);
      const { fileCount } = (await pair.tell({ kind: 'status' })) as PairStatus;
      assert.equal(fileCount, 1, 'The log reached back: nothing was tried');
      assert.deepEqual(await rowsOf(old), before);
      await old.exec('COMMIT');
      assert.equal(await old.value('SELECT count(*) FROM t'), 4000);
      assert.deepEqual(await old.exec('PRAGMA integrity_check'), [['ok']]);
      await addRows(writer);
      await pair.caughtUp(name);
      assert.equal(await old.value('SELECT n FROM counted'), 4001);
    });
  }
});
