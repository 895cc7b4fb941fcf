// Stock SQLite clients that read on a replica while transactions come from the primary: nobody waits,
// nobody fails, nobody sees a state that never was.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { requirePart } from '@skein/testkit';

import { connect, rowsOf } from './clients.ts';
import { startPair } from './node-pair.ts';
import { addRows, makeCounted, RestlessReader } from './replica-reader.ts';

const PARTS = ['fuse', 'root', 'python3'] as const;

describe('Readers of a replica', () => {
  for (const passthrough of ['auto', 'off'] as const) {
    test(`see each transaction, and never an error (passthrough ${passthrough})`, async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const pair = await startPair(t, { config: { passthrough } });
      const writer = await connect(t, pair.primary.path('app.db'), { journalMode: 'wal' });
      await makeCounted(writer);
      await pair.caughtUp('app.db');
      const path = pair.replica.path('app.db');
      const staying = await RestlessReader.start(t, path, 'stay');
      const coming = await RestlessReader.start(t, path, 'reopen');
      for (let n = 0; n < 300; n++) await addRows(writer);
      await pair.caughtUp('app.db');
      const late = await connect(t, path);
      assert.equal(await late.value('SELECT n FROM counted'), 300);
      assert.deepEqual(await rowsOf(late), await rowsOf(writer));
      assert.deepEqual(await late.exec('PRAGMA integrity_check'), [['ok']]);
      assert.ok((await staying.stopWell()) <= 300);
      assert.ok((await coming.stopWell()) <= 300);
    });
  }
});
