import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ServedDatabase } from '@skein/engine';
import { type Checksum, toTxid } from '@skein/ltx';

import { databaseStatus } from './engine-status.ts';

test('databaseStatus() tells of a database that a replica has logged and not applied', () => {
  const files = {
    name: 'app.db',
    // The file has been made as large as it is to be.
    database: {
      readPage: (_pgno: number, into: Uint8Array) => {
        into.fill(0);
        return true;
      },
    },
    wal: undefined,
    journal: undefined,
    refusal: undefined,
    shownState: { pageSize: undefined, pageCount: 0, txid: toTxid(0), checksum: 0n as Checksum },
  };
  const { txid, pageCount, journalMode } = databaseStatus(files as unknown as ServedDatabase);
  assert.deepEqual([txid, pageCount, journalMode], ['0000000000000000', 0, 'rollback']);
});
