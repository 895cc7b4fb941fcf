// What a node says that starts on a damaged folder. test/damage.ts makes one, check/ repairs it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PowerCut, SeededRandom, SimDisk } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import {
  actLittle,
  actMuch,
  applyDamage,
  copyDisk,
  type Damage,
  listFiles,
  makeFolder,
  readFile,
  type SampleFolder,
} from '../../test/damage.ts';
import { checkChecksums, readState } from '../../test/inspect.ts';
import { DATA_FOLDER, SimNode } from '../../test/sim-node.ts';
import { equalStates, Timeline } from '../../test/timeline.ts';
import { DamageError, type DamagePlace } from '../errors.ts';
import { RECORD_MAGIC } from '../log/record.ts';

const SEED = 7;
const closed = makeFolder(actMuch, SEED, 'closed');
const crashed = makeFolder(actMuch, SEED, 'crashed');
const little = makeFolder(actLittle, SEED, 'crashed');
const LITTLE_LOG = 'log/0000000000000001.ltxs';

/** The error with which a node does not start; what is on the disk must be as before. */
function refusal({ disk }: SampleFolder, ...damages: readonly Damage[]): DamageError {
  const damaged = copyDisk(disk);
  for (const damage of damages) assert(applyDamage(damaged, damage));
  const before = contentOf(damaged);
  const refused = catchError(() => new SimNode({ disk: damaged }));
  assert(refused instanceof DamageError, `It starts: ${String(refused)}`);
  assert.match(refused.hint!, /skein check --deep/u);
  assert.deepEqual(contentOf(damaged), before, 'It has changed something');
  return refused;
}

function catchError(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

function contentOf(disk: SimDisk): ReadonlyMap<string, Uint8Array | undefined> {
  return new Map(listFiles(disk, DATA_FOLDER).map((file) => [file, readFile(disk, file)]));
}

function assertPlace({ place }: DamageError, expected: DamagePlace): void {
  assert.deepEqual(place, expected);
}

/** Where the last record of the only segment begins. */
function lastRecordAt({ disk }: SampleFolder): number {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(RECORD_MAGIC);
  return Buffer.from(readFile(disk, LITTLE_LOG)!).lastIndexOf(magic);
}

describe('a node does not start', () => {
  test('without the file of a database, or with half of it', () => {
    const file = 'dbs/app.db/database';
    const database = 'app.db';
    const missing = refusal(closed, { kind: 'delete', file });
    assert.equal(missing.code, 'DATABASE_CORRUPT');
    assertPlace(missing, { file, database, pgno: 1 });
    const cut = refusal(closed, { kind: 'cut', file, sizeBytes: 512 * 3 + 5 });
    assertPlace(cut, { file, database, pgno: 4 });
  });

  test('with a checkpoint damaged, or missing where the log does not make up for it', () => {
    const file = 'dbs/app.db/checkpoint.json';
    const damaged = refusal(closed, { kind: 'flip', file, offset: 20, bit: 2 });
    assert.equal(damaged.code, 'CHECKPOINT_CORRUPT');
    assertPlace(damaged, { file, database: 'app.db' });
    const withoutLog = closed.files
      .filter((name) => /log\/0+[1-6]\.ltxs/u.test(name))
      .map((name): Damage => ({ kind: 'delete', file: name }));
    const both = refusal(closed, { kind: 'delete', file }, ...withoutLog);
    assert.equal(both.code, 'LOG_CORRUPT');
  });

  test('with a record damaged that a database needs', () => {
    const [file] = crashed.files.filter((name) => name.endsWith('6.ltxs'));
    const error = refusal(crashed, { kind: 'flip', file: file!, offset: 4096 + 200, bit: 1 });
    assert.equal(error.code, 'LOG_CORRUPT');
    const { txid, ...place } = error.place;
    assertPlace(error, { ...place, txid: txid!, file: file!, database: 'app.db', lsn: 21 });
    assert(txid !== undefined && txid > 1n);
  });

  test('with a segment missing: the first, one in the middle, the last, all', () => {
    const segments = closed.files.filter((name) => name.endsWith('.ltxs'));
    assert(segments.length > 3);
    for (const file of [segments[0]!, segments[2]!, segments.at(-1)!]) {
      assert.equal(refusal(closed, { kind: 'delete', file }).code, 'LOG_CORRUPT');
    }
    const all = segments.map((file): Damage => ({ kind: 'delete', file }));
    assertPlace(refusal(closed, ...all), { file: 'log' });
    assertPlace(refusal(closed, ...all, { kind: 'delete', file: 'log/bounds.json' }), {
      file: 'log',
    });
  });

  test('with the header of its newest segment damaged', () => {
    const file = closed.files.findLast((name) => name.endsWith('.ltxs'))!;
    assertPlace(refusal(closed, { kind: 'flip', file, offset: 17, bit: 0 }), { file });
  });

  test('when the log is shorter than it was at the last checkpoint', () => {
    const file = closed.files.findLast((name) => name.endsWith('.ltxs'))!;
    const error = refusal(closed, { kind: 'cut', file, sizeBytes: 4096 });
    assert.match(error.message, /record \d+/iu);
    assert.equal(error.place.file, file);
  });

  test('when the log has lost its end without a trace, but a database has it', () => {
    const file = crashed.files.findLast((name) => name.endsWith('.ltxs'))!;
    const error = refusal(crashed, { kind: 'cut', file, sizeBytes: 4096 });
    assert.equal(error.code, 'LOG_CORRUPT');
    assert.equal(error.place.database, 'app.db');
    assert.match(error.message, /the file has a later one/u);
  });

  test('without node.json, once there are databases', () => {
    const disk = copyDisk(closed.disk);
    applyDamage(disk, { kind: 'delete', file: 'node.json' });
    assert.throws(() => new SimNode({ disk }), { code: 'DATA_DIRECTORY_FORMAT' });
  });
});

describe('a node that starts', () => {
  test('puts a single flipped bit right in the last record, wherever it is', () => {
    const start = lastRecordAt(little);
    const size = 300;
    for (let n = 0; n < size; n += 3) {
      const disk = copyDisk(little.disk);
      applyDamage(disk, { kind: 'flip', file: LITTLE_LOG, offset: start + n, bit: n % 8 });
      const node = new SimNode({ disk });
      assert(equalStates(readState(node), little.state), `Byte ${n} of the last record`);
      checkChecksums(node);
      assert.deepEqual(readFile(disk, LITTLE_LOG), readFile(little.disk, LITTLE_LOG));
      const [warning] = node.log.entries.filter(({ level }) => level === 'warn');
      assert.match(warning!.message, /flipped bit/u);
    }
  });

  test('says that it has cut the log inside of a record', () => {
    const disk = new SimDisk();
    const node = new SimNode({ disk });
    const timeline = new Timeline();
    const actor = new Actor({ node, random: new SeededRandom(SEED), timeline });
    actor.commit('app.db', 'delete');
    disk.stopAt({ n: 1, op: 'log.sync', when: 'before' });
    assert.throws(() => actor.commit('app.db', 'delete'), PowerCut);
    const cuts = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const later = node.reopen(disk.powerCut(new SeededRandom(seed), 'random'));
      assert(timeline.find(readState(later)) !== undefined, 'What is found was never there');
      for (const { level, message, fields } of later.log.entries) {
        if (level === 'warn') cuts.add(`${message} at ${String(fields['lsn'])}`);
      }
    }
    assert.deepEqual([...cuts], ['The log was cut at 2']);
  });
});
