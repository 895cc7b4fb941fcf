import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { FileLocks } from '@skein/host';
import { SeededRandom, SimClock, SimDisk } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import {
  actLittle,
  actMuch,
  applyDamage,
  copyDisk,
  listFiles,
  makeFolder,
  readFile,
} from '../../test/damage.ts';
import { checkOn, openCopy, repairOn } from '../../test/inspect-damage.ts';
import { changedPages, samplePages } from '../../test/sample-database.ts';
import { DATA_FOLDER, SimNode } from '../../test/sim-node.ts';
import { Timeline } from '../../test/timeline.ts';
import { encodeRecordHeader } from '../log/record.ts';
import { checkDeep } from './check-deep.ts';
import type { CheckProgress } from './finding.ts';

const much = makeFolder(actMuch, 3, 'closed');
const crashed = makeFolder(actMuch, 3, 'crashed');
const little = makeFolder(actLittle, 3, 'closed');

const freeLocks: FileLocks = {
  tryLockFile: () => true,
  tryLockRange: () => true,
  unlockRange: () => {},
  findHolder: () => undefined,
};

function write(disk: SimDisk, file: string, text = 'what nobody knows'): void {
  const bytes = new TextEncoder().encode(text);
  const opened = disk.open('test', `${DATA_FOLDER}/${file}`, 'create');
  opened.write('test', bytes, 0, bytes.length, 0);
  opened.close();
}

describe('checkDeep()', () => {
  test('finds nothing in a folder that is sound, and changes nothing', () => {
    for (const { disk } of [much, crashed, little]) {
      const copy = copyDisk(disk);
      const { findings, readBytes, ...counts } = checkOn(copy);
      assert.deepEqual(findings, []);
      assert(counts.databaseCount > 0 && counts.transactionCount > 0 && counts.pageCount > 0);
      const files = listFiles(copy, DATA_FOLDER);
      assert.deepEqual(files, listFiles(disk, DATA_FOLDER));
      let sizeBytes = 0;
      for (const file of files) {
        const bytes = readFile(copy, file)!;
        assert.deepEqual(bytes, readFile(disk, file), file);
        if (/(?:ltxs|database|checksums)$/u.test(file)) sizeBytes += bytes.length;
      }
      assert(readBytes >= sizeBytes, 'It has not read everything');
      assert.deepEqual(copy.openFiles(), []);
    }
  });

  test('finds nothing in a folder that was just made, and refuses what is no data folder', () => {
    const disk = new SimDisk();
    assert.throws(() => checkOn(disk), { code: 'DATA_DIRECTORY_FORMAT' });
    assert.deepEqual(disk.stat('test', DATA_FOLDER), undefined);
    new SimNode({ disk }).close();
    assert.deepEqual(checkOn(disk).findings, []);
  });

  test('refuses a folder that a node runs on', () => {
    const disk = Object.assign(copyDisk(little.disk), {});
    const open = disk.open.bind(disk);
    disk.open = (op, path, mode) =>
      Object.assign(open(op, path, mode), path.endsWith('/lock') ? { fd: 7 } : {});
    const fileLocks = { ...freeLocks, tryLockFile: () => false };
    assert.throws(() => checkDeep({ disk, fileLocks }, { dataFolder: DATA_FOLDER }), {
      code: 'DATA_DIRECTORY_IN_USE',
    });
  });

  test('tells how far it is', () => {
    const seen: CheckProgress[] = [];
    const ports = { disk: copyDisk(much.disk), fileLocks: freeLocks };
    const { readBytes } = checkDeep(ports, {
      dataFolder: DATA_FOLDER,
      onProgress: (progress) => seen.push(progress),
    });
    assert.deepEqual(seen.at(-1), { doneBytes: readBytes, totalBytes: readBytes });
    assert(seen.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes));
  });

  test('takes a segment that a crash has left without a record for a leftover', () => {
    const disk = new SimDisk();
    new SimNode({ disk }).close();
    write(disk, 'log/0000000000000001.ltxs', '\0'.repeat(8192));
    const [finding, ...others] = checkOn(disk).findings;
    assert.deepEqual([finding?.kind, others], ['leftover', []]);
    assert.deepEqual(repairOn(disk).after.findings, []);
    new SimNode({ disk }).close();
  });

  test('names files that are not ours, and leaves them alone', () => {
    const disk = copyDisk(little.disk);
    const files = ['dbs/app.db/notes', 'dbs/loose', 'log/core', 'thumbs'];
    for (const file of files) write(disk, file);
    const { findings } = checkOn(disk);
    assert.deepEqual(findings.map(({ file }) => file).sort(), files);
    assert(findings.every(({ kind, repair }) => kind === 'unknown' && repair === undefined));
    const { after, savedTo } = repairOn(disk);
    assert.equal(after.findings.length, files.length);
    assert.equal(savedTo, undefined);
  });

  test('takes what the disk cannot read for damaged, and goes on', () => {
    const disk = copyDisk(much.disk);
    // The second piece of a database, again when it is read by itself.
    const path = `${DATA_FOLDER}/dbs/app.db/database`;
    for (const n of [1, 2]) disk.failAt({ n, error: 'EIO', kind: 'read', path });
    const { findings } = checkOn(disk);
    assert(findings.length > 0);
    for (const { file, pgno } of findings) {
      assert.equal(file, 'dbs/app.db/database');
      assert.equal(pgno, 1);
    }
  });

  test('names database, transaction, record and page', () => {
    const [page] = findAfterFlip('dbs/app.db/database', 512 * 4 + 7);
    assert.equal(page?.pgno, 5);
    assert.equal(page.database, 'app.db');
    const [block] = findAfterFlip('dbs/app.db/checksums', 4096 + 16);
    assert.equal(block?.pgno, 1);
    const [transaction] = findAfterFlip('log/0000000000000001.ltxs', 4096 + 300);
    assert.equal(transaction?.lsn, 1);
    assert.equal(transaction.txid, 1n);
    assert.equal(transaction.database, 'app.db');
    const [record] = findAfterFlip('log/0000000000000001.ltxs', 4096 + 40);
    assert.equal(record?.lsn, 1);
  });

  test('is not taken in by what looks like a record in a page', () => {
    const { disk, state } = folderWithFakeRecords();
    for (const offset of [4096, 4096 + 512]) {
      const damaged = copyDisk(disk);
      applyDamage(damaged, { kind: 'zero', file: 'log/0000000000000001.ltxs', offset });
      assert(checkOn(damaged).findings.every(({ lsn = 0 }) => lsn < FAKE_LSN));
      assert.deepEqual(repairOn(damaged).after.findings, []);
      assert.equal(openCopy(damaged, state), 'same');
    }
  });

  test('reads the transactions that lie beside the log', () => {
    const { disk, state, files } = makeFolder(actLarge, 3, 'crashed');
    const file = files.find((name) => name.endsWith('.ltx'))!;
    assert.deepEqual(checkOn(copyDisk(disk)).findings, []);
    const flipped = copyDisk(disk);
    applyDamage(flipped, { kind: 'flip', file, offset: 5_000_000, bit: 5 });
    const [finding] = checkOn(flipped).findings;
    assert.deepEqual([finding?.file, finding?.database, finding?.txid], [file, 'large.db', 1n]);
    assert.deepEqual(repairOn(flipped).after.findings, []);
    assert.deepEqual(readFile(flipped, file), readFile(disk, file));

    // Nothing is lost: all of its pages are in the database file, with the checksum to prove it.
    const deleted = copyDisk(disk);
    applyDamage(deleted, { kind: 'delete', file });
    assert.notEqual(openCopy(deleted, state), 'different');
    assert.equal(checkOn(deleted).findings[0]?.file, file);
    assert.deepEqual(repairOn(deleted).after.findings, []);
    assert.equal(openCopy(deleted, state), 'same');
  });

  function findAfterFlip(file: string, offset: number): ReturnType<typeof checkOn>['findings'] {
    const disk = copyDisk(much.disk);
    applyDamage(disk, { kind: 'flip', file, offset, bit: 3 });
    const { findings } = checkOn(disk);
    assert.deepEqual(
      findings.map((finding) => finding.file),
      [file],
    );
    return findings;
  }
});

describe('repair()', () => {
  test('does nothing to a folder that is sound', () => {
    const disk = copyDisk(much.disk);
    const { before, after, savedTo } = repairOn(disk);
    assert.deepEqual([before.findings, after.findings, savedTo], [[], [], undefined]);
    assert.deepEqual(listFiles(disk, DATA_FOLDER), listFiles(much.disk, DATA_FOLDER));
  });

  test('keeps the originals of what it replaces, at their places', () => {
    const disk = copyDisk(much.disk);
    const file = 'dbs/app.db/database';
    applyDamage(disk, { kind: 'flip', file, offset: 512 * 4 + 7, bit: 3 });
    const damaged = readFile(disk, file)!;
    const { savedTo } = repairOn(disk);
    assert.match(savedTo!, /^damaged\/\d{8}T\d{6}Z$/u);
    const kept = readFile(disk, `${savedTo}/${file}`)!;
    assert.deepEqual(kept.subarray(512 * 4, 512 * 5), damaged.subarray(512 * 4, 512 * 5));
    assert.deepEqual(readFile(disk, file), readFile(much.disk, file));
  });

  test('moves what a crash has left', () => {
    const disk = copyDisk(little.disk);
    const leftovers = [
      'dbs/app.db/checkpoint.json.tmp',
      'log/0123456789abcdef.ltx',
      'node.json.tmp',
    ];
    for (const file of leftovers) write(disk, file);
    const found = checkOn(disk).findings;
    assert.deepEqual(found.map(({ file }) => file).sort(), leftovers);
    assert(found.every(({ kind }) => kind === 'leftover'));
    assert.deepEqual(repairOn(disk).after.findings, []);
    assert.deepEqual(listFiles(disk, DATA_FOLDER), listFiles(little.disk, DATA_FOLDER));
  });

  test('gives a node that has lost its name another, in the same epoch', () => {
    const disk = copyDisk(little.disk);
    const before = new TextDecoder().decode(readFile(disk, 'node.json'));
    applyDamage(disk, { kind: 'delete', file: 'node.json' });
    assert.deepEqual(
      checkOn(disk).findings.map(({ file }) => file),
      ['node.json'],
    );
    repairOn(disk);
    const after = new TextDecoder().decode(readFile(disk, 'node.json'));
    assert.notEqual(after, before);
    assert.match(after, /"epoch":1\b/u);
  });

  test('puts a page right that only the sidecar knows, if a single bit is wrong in it', () => {
    const { disk, state } = folderWithoutLog();
    const file = 'dbs/app.db/database';
    const flipped = copyDisk(disk);
    applyDamage(flipped, { kind: 'flip', file, offset: 512 * 3 + 100, bit: 6 });
    assert.deepEqual(repairOn(flipped).after.findings, []);
    assert.equal(openCopy(flipped, state), 'same');

    const zeroed = copyDisk(disk);
    applyDamage(zeroed, { kind: 'zero', file, offset: 0 });
    const damaged = readFile(zeroed, file);
    const { after, savedTo } = repairOn(zeroed);
    assert.equal(savedTo, undefined);
    assert.deepEqual(readFile(zeroed, file), damaged);
    const [finding] = after.findings;
    assert.equal(finding?.pgno, 1);
    assert.match(finding.hint!, /Restore/u);
  });

  test('refuses when a transaction is lost that a database needs', () => {
    const disk = copyDisk(crashed.disk);
    const segments = crashed.files.filter((name) => name.endsWith('.ltxs'));
    applyDamage(disk, { kind: 'delete', file: segments.at(-3)! });
    const before = listFiles(disk, DATA_FOLDER);
    const { after, savedTo } = repairOn(disk);
    assert.equal(savedTo, undefined);
    assert.deepEqual(listFiles(disk, DATA_FOLDER), before);
    const [finding] = after.findings;
    assert.equal(finding!.file, segments.at(-3));
    assert.match(finding!.hint!, /What may be lost: .* after transaction [0-9a-f]{16}/u);
    assert.equal(openCopy(disk, crashed.state), 'refused');
  });

  test('does not take a database back to a transaction before its last', () => {
    const disk = copyDisk(crashed.disk);
    const file = crashed.files.findLast((name) => name.endsWith('.ltxs'))!;
    applyDamage(disk, { kind: 'cut', file, sizeBytes: 4096 });
    const database = readFile(disk, 'dbs/app.db/database');
    const { after, savedTo } = repairOn(disk);
    assert.equal(savedTo, undefined);
    assert.deepEqual(readFile(disk, 'dbs/app.db/database'), database);
    const finding = after.findings.find((candidate) => candidate.file === 'log');
    assert.equal(finding?.database, 'app.db');
    assert.match(finding.what, /which is in the database file/u);
    // Nor is what looks like a leftover taken away, of a database that was made again.
    assert(after.findings.every((candidate) => candidate.repair === undefined));
  });

  test('throws when the disk fails, and leaves a folder to go on from', () => {
    const disk = copyDisk(much.disk);
    applyDamage(disk, { kind: 'zero', file: 'dbs/app.db/database', offset: 0 });
    disk.failAt({ n: 1, error: 'ENOSPC', op: 'repair.page' });
    assert.throws(() => repairOn(disk), { code: 'ENOSPC' });
    assert.deepEqual(repairOn(disk).after.findings, []);
    assert.equal(openCopy(disk, much.state), 'same');
  });
});

/** A transaction of more than 16 MiB, and a small one after it. */
function actLarge(actor: Actor): void {
  const { node, random, timeline } = actor;
  const pages = samplePages(random, 65_536, 260);
  const large = new Actor({ node, random, timeline, pageSize: 65_536 });
  large.commit('large.db', 'delete', pages);
  large.commit('large.db', 'delete', changedPages(random, pages, { pageCountMax: 260 }));
}

const FAKE_LSN = 1000;

/** A database in which somebody keeps the log of another node. */
function folderWithFakeRecords(): { disk: SimDisk; state: Timeline['last'] } {
  const fake = encodeRecordHeader({
    lsn: FAKE_LSN,
    durableLsn: FAKE_LSN - 1,
    link: 0n,
    epoch: 1,
    timestampMs: 0,
    entries: [{ database: 'app.db', ltxBytes: 640, minTxid: 9n, maxTxid: 9n, besideId: undefined }],
  });
  const { disk, state } = makeFolder(
    (actor) => {
      for (let n = 0; n < 3; n++) {
        const pages = samplePages(actor.random, 512, 8).map((page) => page.slice());
        // Records start at multiples of 8, pages of an LTX file at multiples of 4.
        for (const page of pages.slice(1)) for (const at of [0, 132]) page.set(fake, at);
        actor.commit('app.db', 'delete', pages);
      }
      actor.commit('other.db', 'delete', samplePages(actor.random, 512, 30));
    },
    3,
    'closed',
  );
  return { disk, state };
}

/** A database of which the log has nothing any more. */
function folderWithoutLog(): { disk: SimDisk; state: Timeline['last'] } {
  const disk = new SimDisk({ seed: 1 });
  const clock = new SimClock();
  const options = { disk, clock, segmentBytes: 4096, retentionMs: 0 };
  const node = new SimNode(options);
  const timeline = new Timeline();
  const actor = new Actor({ node, random: new SeededRandom(1), timeline });
  actor.commit('app.db', 'delete');
  for (let n = 0; n < 3; n++) {
    node.pass(61_000);
    actor.commit('other.db', 'delete');
  }
  node.pass(61_000);
  node.close();
  return { disk: copyDisk(disk), state: timeline.last };
}
