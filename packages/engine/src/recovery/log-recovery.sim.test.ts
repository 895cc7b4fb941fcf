// Bytes of a small log are flipped in turn: a start finds the same transactions, or says that the
// log is damaged; never fewer transactions in silence, never others. Every seventh byte is tried,
// or all of them: SKEIN_SIM_POINTS=all npm test -- sim log-recovery.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom, type SimDisk } from '@skein/testkit';

import { commitRollback } from '../../test/rollback-client.ts';
import { readState } from '../../test/inspect.ts';
import { changedPages, samplePages } from '../../test/sample-database.ts';
import { DATA_FOLDER, SimNode } from '../../test/sim-node.ts';
import { SqliteClient } from '../../test/sqlite-client.ts';
import { equalStates } from '../../test/timeline.ts';
import { DamageError } from '../errors.ts';

const LOG = `${DATA_FOLDER}/log`;
/** A prime, so that every field is met in some record. */
const STEP = process.env['SKEIN_SIM_POINTS'] === 'all' ? 1 : 7;

const OPTIONS = { segmentBytes: 8192, checkpointBytes: 1024 * 1024 };

/** A log of two segments of a node that was killed: the databases have less than the log. */
function makeLog(): SimNode {
  const node = new SimNode(OPTIONS);
  const random = new SeededRandom(1);
  const client = new SqliteClient(node, 'app.db');
  let pages = samplePages(random, 512, 3);
  for (let n = 0; n < 5; n++) {
    commitRollback(client, pages, { end: 'delete' });
    pages = changedPages(random, pages, { changesMax: 1, pageCountMax: 4 });
  }
  assert.equal(node.engine.log.segments.length, 2);
  return node;
}

/** The disk after the power cut of a lucky moment, with one bit of a file flipped. */
function flipped(disk: SimDisk, path: string, offset: number, bit: number): SimDisk {
  const copy = disk.powerCut(new SeededRandom(1), 'keep-all');
  const file = copy.open('test', path, 'update');
  const byte = new Uint8Array(1);
  file.read('test', byte, 0, 1, offset);
  byte[0]! ^= 1 << bit;
  file.write('test', byte, 0, 1, offset);
  file.close();
  return copy;
}

describe('a flipped bit anywhere in the log', () => {
  test('is noticed, or of no consequence', () => {
    const node = makeLog();
    const expected = readState(node);
    const outcomes = { same: 0, damaged: 0 };
    for (const { path, end, isSealed, index } of node.engine.log.segments) {
      const size = end + (isSealed ? index.encode().length : 64);
      // Between header and records there is nothing but two blocks of 64 bytes.
      const offsets = Array.from({ length: size }, (_, n) => n).filter(
        (n) => n % STEP === 0 && (n < 640 || n >= 4096 - 64),
      );
      for (const offset of offsets) {
        const disk = flipped(node.disk, path, offset, offset % 8);
        try {
          const found = readState(node.reopen(disk, OPTIONS));
          assert(equalStates(found, expected), `${path}, byte ${offset}: something else is found`);
          outcomes.same++;
        } catch (error) {
          assert(error instanceof DamageError, `${path}, byte ${offset}: ${String(error)}`);
          assert.equal(error.code, 'LOG_CORRUPT');
          outcomes.damaged++;
        }
      }
    }
    assert(outcomes.damaged > 2000 / STEP && outcomes.same > 100 / STEP, JSON.stringify(outcomes));
  });

  test('is told by file, record, database and transaction', () => {
    const node = makeLog();
    const [segment] = node.engine.log.segments;
    const disk = flipped(node.disk, segment!.path, segment!.index.offsetOf(1) + 700, 3);
    assert.throws(() => node.reopen(disk, OPTIONS), {
      name: 'DamageError',
      place: { file: 'log/0000000000000001.ltxs', lsn: 2, database: 'app.db', txid: 2n },
    });
  });

  test('leaves no file open when the log is damaged', () => {
    const node = makeLog();
    const [segment] = node.engine.log.segments;
    const disk = flipped(node.disk, segment!.path, segment!.index.offsetOf(1) + 700, 3);
    assert.throws(() => node.reopen(disk, OPTIONS), DamageError);
    const isLog = (path: string): boolean => path.startsWith(LOG);
    assert.deepEqual(disk.openFiles().filter(isLog), []);
  });
});
