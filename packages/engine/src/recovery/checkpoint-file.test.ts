import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Txid } from '@skein/ltx';
import { SimDisk } from '@skein/testkit';

import { writeAtomicFile } from '../data-folder/atomic-file.ts';
import { type DatabaseState, NO_STATE } from '../database/database-state.ts';
import { DamageError } from '../errors.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts';

const FOLDER = '/dbs/app.db';

function setUp(): SimDisk {
  const disk = new SimDisk();
  disk.makeDirectory('test', FOLDER);
  return disk;
}

describe('a checkpoint', () => {
  const state: DatabaseState = {
    pageSize: 65_536,
    pageCount: 0x1_0000,
    txid: 0xffff_ffff_ffffn as Txid,
    checksum: ((1n << 63n) | 5n) as DatabaseState['checksum'],
    lsn: 2 ** 40,
  };

  test('is read as it was written', () => {
    const disk = setUp();
    assert.equal(readCheckpoint(disk, FOLDER, 'app.db'), undefined);
    for (const each of [state, { ...NO_STATE, txid: 5n as Txid, lsn: 9 }]) {
      writeCheckpoint(disk, FOLDER, each);
      assert.deepEqual(readCheckpoint(disk, FOLDER, 'app.db'), each);
    }
  });

  test('is refused when it is damaged, or says what cannot be', () => {
    const disk = setUp();
    const path = `${FOLDER}/checkpoint.json`;
    const good = { version: 1, pageSize: 512, pageCount: 1, txid: '0'.repeat(16), lsn: 1 };
    const checksum = 'f'.repeat(16);
    const values = [
      { ...good, checksum, version: 2 },
      { ...good, checksum, pageSize: 1000 },
      { ...good, checksum, pageCount: -1 },
      { ...good, checksum, lsn: 1.5 },
      { ...good, checksum: 'x' },
    ];
    for (const value of values) {
      writeAtomicFile(disk, 'x', path, value);
      const expected = { place: { file: 'dbs/app.db/checkpoint.json', database: 'app.db' } };
      assert.throws(() => readCheckpoint(disk, FOLDER, 'app.db'), expected);
      assert.throws(() => readCheckpoint(disk, FOLDER, 'app.db'), DamageError);
    }
  });
});
