// What a replica takes into its log, and what it refuses.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CHECKSUM_FLAG, toTxid } from '@skein/ltx';
import { SeededRandom, SimDisk } from '@skein/testkit';

import { checkChecksums } from '../../test/inspect.ts';
import { checkReaders, openReplica, receive, receiveFile } from '../../test/replica-run.ts';
import { SentHistory } from '../../test/sent-history.ts';
import { ltxBetween, type SentLtx, snapshotOf } from '../../test/sent-ltx.ts';
import { type Pages, samplePages } from '../../test/sample-database.ts';
import { OWNER } from '../../test/sqlite-client.ts';
import { type SimNode } from '../../test/sim-node.ts';
import { EngineError } from '../errors.ts';
import { dropOf } from '../follow/followed-transaction.ts';

const NAME = 'app.db';

function newReplica(): { node: SimNode; history: SentHistory } {
  const node = openReplica(new SimDisk({ seed: 1 }));
  return { node, history: new SentHistory(new SeededRandom(1), NAME) };
}

function codeOf(refusal: Error | undefined): string | undefined {
  return refusal instanceof EngineError ? refusal.code : refusal?.message;
}

describe('what a replica receives', () => {
  test('is taken up to the first that does not fit, and both positions are named', () => {
    const { node, history } = newReplica();
    const sent = [history.next(), history.next()];
    history.next();
    const gap = history.next();
    const { takenCount, refusal } = receive(node, [...sent, gap]);
    assert.equal(takenCount, 2);
    assert.equal(codeOf(refusal), 'POSITION_MISMATCH');
    assert.match(refusal!.message, /begins at 0000000000000003\/[0-9a-f]{16}/u);
    assert.match(refusal!.message, /is at 0000000000000002\/[0-9a-f]{16}/u);
    const { durableLsn, lastLsn } = node.engine.log;
    assert.deepEqual([durableLsn, lastLsn], [2, 2]);
    node.rest();
    checkReaders(node, history.all);
  });

  test('is not taken when the database has another content at this TXID', () => {
    const { node, history } = newReplica();
    receive(node, history.several(2));
    const before = samplePages(new SeededRandom(9), 512, 5);
    const next = [...before.slice(0, 4), before[0]!];
    const foreign = ltxBetween({ database: NAME, txid: 3n, before, next });
    assert.equal(codeOf(receive(node, [foreign]).refusal), 'POSITION_MISMATCH');
    assert.equal(receive(node, [history.next()]).takenCount, 1);
  });

  test('is not taken with any byte of it changed', () => {
    const { node, history } = newReplica();
    receive(node, history.several(2));
    const sent = history.next();
    for (let at = 0; at < sent.bytes.length; at += at < 140 ? 1 : 37) {
      const bytes = sent.bytes.slice();
      bytes[at]! ^= 0x10;
      const { takenCount, refusal } = receive(node, [{ ...sent, bytes }]);
      assert.equal(takenCount, 0, `byte ${at}`);
      assert(refusal instanceof EngineError, `byte ${at}: ${refusal?.message}`);
    }
    for (const length of [0, 10, 100, 150, sent.bytes.length - 1]) {
      const bytes = sent.bytes.slice(0, length);
      assert.equal(codeOf(receive(node, [{ ...sent, bytes }]).refusal), 'RECEIVED_CORRUPT');
    }
    assert.equal(node.engine.log.lastLsn, 2);
    assert.equal(receive(node, [sent]).takenCount, 1);
    checkChecksums(node);
  });

  test('has to be right by the checksum of the whole database, too', () => {
    const { node, history } = newReplica();
    const { pages: before } = history.next();
    receive(node, history.all);
    const next = [...before.slice(0, 3), before[4]!, before[3]!];
    const claimed = [...before.slice(0, 3), before[4]!, before[4]!];
    // A file that is sound by itself, and leads to something else than it says.
    const wrong = ltxBetween({ database: NAME, txid: 2n, before, next, claimed });
    const { takenCount, refusal } = receive(node, [wrong]);
    assert.deepEqual([takenCount, codeOf(refusal)], [0, 'POSITION_MISMATCH']);
    assert.match(refusal!.message, /leads from 0000000000000001\//u);
    assert.equal(receive(node, [history.become(next)]).takenCount, 1);
    checkChecksums(node);
  });

  test('must be of no older epoch than one that was seen, also after a restart', () => {
    const { node, history } = newReplica();
    receive(node, [{ ...history.next(), epoch: 5 }]);
    assert.equal(node.engine.epoch, 5);
    const next = history.next();
    assert.equal(codeOf(receive(node, [{ ...next, epoch: 4 }]).refusal), 'EPOCH_TOO_LOW');
    const after = openReplica(node.disk.powerCut(new SeededRandom(1), 'lose-all'));
    assert.equal(after.engine.epoch, 5);
    assert.equal(codeOf(receive(after, [{ ...next, epoch: 4 }]).refusal), 'EPOCH_TOO_LOW');
    assert.equal(receive(after, [{ ...next, epoch: 5 }]).takenCount, 1);
  });

  test('has a name that a database can have', () => {
    const { node, history } = newReplica();
    const sent = { ...history.next(), database: '../outside' };
    assert.equal(codeOf(receive(node, [sent]).refusal), 'DATABASE_NAME');
  });

  test('is refused on a full disk, and taken when there is room again', () => {
    const { node, history } = newReplica();
    receive(node, history.several(2));
    node.rest();
    node.disk.capacityBytes = 0;
    const large = history.next({ changesMax: 40 });
    const { takenCount, refusal } = receive(node, [large]);
    if (takenCount === 0) {
      assert.equal((refusal as { code?: string }).code, 'ENOSPC');
      node.disk.capacityBytes = 2 ** 40;
      assert.equal(receive(node, [large]).takenCount, 1);
    }
    node.disk.capacityBytes = 2 ** 40;
    node.pass(100);
    checkReaders(node, history.all);
  });

  test('is not in the log when its checksums could not be kept', () => {
    for (const op of ['checksums.open', 'checksums.write', 'checksums.read']) {
      const { node, history } = newReplica();
      receive(node, [history.next(), history.drop()]);
      const again = history.become(samplePages(new SeededRandom(4), 512, 4));
      const next = op === 'checksums.read' ? history.become(manyPages(again.pages)) : again;
      if (next !== again) receive(node, [again]);
      const before = node.engine.log.lastLsn;
      node.disk.failAt({ n: 1, op, error: 'EIO' });
      const { takenCount, refusal } = receive(node, [next]);
      assert.deepEqual([takenCount, (refusal as { code?: string }).code], [0, 'EIO'], op);
      assert.equal(node.engine.log.lastLsn, before, op);
      assert.equal(receive(node, [next, history.next()]).takenCount, 2);
      node.rest();
      checkReaders(node, history.all);
      const after = openReplica(node.disk.powerCut(new SeededRandom(1), 'lose-all'));
      assert.equal(after.engine.replica!.positions().get(NAME)!.txid, history.txid);
      checkReaders(after, history.all);
      checkChecksums(after);
    }
  });

  test('is the last in the log when it is there and cannot be taken over', () => {
    const { node, history } = newReplica();
    receive(node, history.several(3));
    node.rest();
    const other = new SentHistory(new SeededRandom(2), NAME, 4096);
    other.several(9);
    const whole = snapshotOf(other.all.at(-1)!);
    // Its sidecar can be made only when there is nothing left of the old one.
    node.disk.failAt({ n: 1, op: 'checksums.open', error: 'EIO' });
    assert.throws(() => receiveFile(node, whole), { code: 'LOG_FAILED' });
    const foreign = new SentHistory(new SeededRandom(3), 'foreign.db');
    assert.throws(() => receive(node, [foreign.next()]), { code: 'LOG_FAILED' });
    const after = openReplica(node.disk.powerCut(new SeededRandom(1), 'lose-all'));
    assert.equal(after.engine.replica!.positions().get(NAME)!.txid, other.txid);
    checkReaders(after, other.all);
    checkChecksums(after);
  });

  test('comes as a file where it is large, which is gone when it is refused', () => {
    const { node, history } = newReplica();
    receiveFile(node, history.next({}, 30));
    const gap = snapshotless(history);
    assert.throws(() => receiveFile(node, gap), { code: 'POSITION_MISMATCH' });
    const { folder } = node.engine;
    assert.deepEqual(node.disk.list('test', folder.scratch).filter(isReceived), []);
    node.rest();
    checkReaders(node, history.all);
  });
});

describe('a replica', () => {
  test('refuses every way to write', () => {
    const { node, history } = newReplica();
    receive(node, [history.next()]);
    node.rest();
    const { store } = node.engine;
    const refused = { code: 'REPLICA_READ_ONLY' };
    for (const name of [NAME, `${NAME}-wal`]) {
      assert.throws(() => store.open(name, 'read-write'), refused);
      assert.throws(() => store.open(name, 'write'), refused);
      const file = store.open(name, 'read');
      assert.throws(() => file.write(new Uint8Array(1), 0, 1, 0), refused);
      assert.throws(() => file.truncate(0), refused);
      assert.throws(() => store.remove(name), refused);
    }
    for (const name of [`${NAME}-journal`, 'new.db', 'copy.tmp']) {
      assert.throws(() => store.create(name, 'read-write', OWNER), refused);
    }
    assert.throws(() => store.rename(NAME, 'other.db', OWNER), refused);
    const import_ = { name: NAME, path: '/nowhere', owner: OWNER };
    assert.throws(() => node.engine.importFile(import_).next(), refused);
    assert.deepEqual([...store.names()], [NAME, `${NAME}-pos`, `${NAME}-shm`, `${NAME}-wal`]);
  });

  test('heals a database that has diverged, and keeps what it had made by itself', () => {
    const { disk, node, history } = divergedReplica();
    history.next();
    const healed = snapshotOf(history.all.at(-1)!);
    receiveFile(node, healed);
    node.rest();
    assert.equal(node.engine.replica!.appliedPositions().get(NAME)?.txid, 4n);
    checkReaders(node, history.all);
    checkKept(node);
    assert(node.log.entries.some(({ message }) => message.includes('are kept aside')));
    assert.equal(receive(node, [history.next()]).takenCount, 1);
    node.close();
    const after = openReplica(disk);
    checkReaders(after, history.all);
    checkChecksums(after);
  });

  test('keeps what it has of a primary before that goes further than what the new one has', () => {
    const { node, history } = newReplica();
    receive(node, history.several(5));
    const other = new SentHistory(new SeededRandom(9), NAME);
    other.several(4);
    receiveFile(node, snapshotOf(other.all.at(-1)!));
    node.rest();
    checkReaders(node, other.all);
    checkKept(node);
  });

  test('keeps that also when the primary sends little in its place, or has dropped it', () => {
    const little = divergedReplica();
    little.history.next();
    receive(little.node, [snapshotOf(little.history.all.at(-1)!)]);
    checkKept(little.node);
    const dropped = divergedReplica();
    const { database, epoch, txid } = dropped.history.drop();
    const bytes = dropOf(database, { txid: toTxid(txid), checksum: CHECKSUM_FLAG }, AT_FIRST).bytes;
    receive(dropped.node, [{ database, epoch, bytes, txid, pages: [] }]);
    checkKept(dropped.node);
    checkReaders(dropped.node, dropped.history.all);
  });
});

/** When nothing else was committed yet. */
const AT_FIRST = { epoch: 1, timestampMs: 0 };

/** It was primary meanwhile: behind three transactions of another it has two of its own. */
function divergedReplica(): { disk: SimDisk; node: SimNode; history: SentHistory } {
  const disk = new SimDisk({ seed: 1 });
  const { node: first, history } = newReplicaOn(disk);
  receive(first, history.several(3));
  const { nodeId } = first.engine;
  first.close();
  const own = new SentHistory(new SeededRandom(5), NAME);
  own.all.push(...history.all);
  const node = openReplica(disk);
  for (let count = 0; count < 2; count++) {
    const before = own.pages;
    receive(node, [ltxBetween({ ...own.next(), nodeId, before, next: own.pages })]);
  }
  node.rest();
  return { disk, node, history };
}

function checkKept({ disk, engine }: SimNode): void {
  const folder = `/data/dbs/${NAME}/diverged`;
  const [epochAndNode] = disk.list('test', folder);
  assert.equal(epochAndNode, `1-${engine.nodeId.toString(16).padStart(16, '0')}`);
  const names = disk.list('test', `${folder}/${epochAndNode}`);
  assert.deepEqual(names, [
    '0000000000000004-0000000000000004.ltx',
    '0000000000000005-0000000000000005.ltx',
  ]);
}

function newReplicaOn(disk: SimDisk): { node: SimNode; history: SentHistory } {
  return { node: openReplica(disk), history: new SentHistory(new SeededRandom(1), NAME) };
}

/** The same and more, so that their checksums are in more than one block. */
function manyPages(pages: Pages): Pages {
  const [header, ...others] = samplePages(new SeededRandom(4), 512, 600);
  return [...pages, header!, ...others];
}

/** A transaction behind one that is left out. */
function snapshotless(history: SentHistory): SentLtx {
  const [, , gap] = history.several(3);
  history.all.length = 1;
  return gap!;
}

function isReceived(name: string): boolean {
  return name.startsWith('received');
}
