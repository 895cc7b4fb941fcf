// How a replica brings what it has received to its readers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom, SimDisk } from '@skein/testkit';
import { WAL_WRITE_LOCK } from '@skein/sqlite-file';

import { checkChecksums } from '../../test/inspect.ts';
import { ReplicaReader } from '../../test/replica-reader.ts';
import { checkReaders, openReplica, receive, receiveFile, shown } from '../../test/replica-run.ts';
import { equalPages, samplePages } from '../../test/sample-database.ts';
import { SentHistory } from '../../test/sent-history.ts';
import { snapshotOf } from '../../test/sent-ltx.ts';
import type { SimNode, SimNodeOptions } from '../../test/sim-node.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { ReplicaDatabase } from './replica-database.ts';

const NAME = 'app.db';

interface Fixture {
  readonly node: SimNode;
  readonly history: SentHistory;
}

function newReplica(options: SimNodeOptions = {}, pageSize = 512): Fixture {
  const node = openReplica(new SimDisk({ seed: 1 }), { segmentBytes: 4 * 1024 * 1024, ...options });
  return { node, history: new SentHistory(new SeededRandom(1), NAME, pageSize) };
}

function filesOf(node: SimNode): ReplicaDatabase {
  return node.engine.replica!.databases.get(NAME)!;
}

function readerOf(node: SimNode, pid = 77): ReplicaReader {
  const reader = new ReplicaReader(node, NAME, pid);
  reader.begin();
  return reader;
}

describe('applying', () => {
  test('crosses the blocks of the wal-index while a reader keeps its snapshot', () => {
    const { node, history } = newReplica();
    receive(node, history.several(4));
    node.rest();
    const held = readerOf(node);
    const seen = shown(history.pages);
    // One block has 4,062 frames, the next ones 4,096.
    while ((filesOf(node).wal?.committed.frames.count ?? 0) < 9000) {
      receive(node, history.several(200));
      node.rest();
    }
    assert(equalPages(held.pages(), seen));
    checkReaders(node, history.all);
    held.close();
    // The node brings its databases up to date now and then.
    node.pass(61_000);
    receive(node, history.several(2));
    node.rest();
    checkReaders(node, history.all);
    assert(filesOf(node).wal!.committed.frames.count < 100, 'The WAL is not begun anew');
    checkChecksums(node);
  });

  test('begins the WAL anew again and again under readers that come and go', () => {
    const { node, history } = newReplica();
    receive(node, history.several(2));
    node.rest();
    let restarts = 0;
    for (let round = 0; round < 60; round++) {
      const before = filesOf(node).wal!.committed;
      const reader = round % 3 === 0 ? undefined : readerOf(node);
      const seen = shown(history.pages);
      receive(node, history.several(70));
      node.rest();
      if (reader !== undefined) assert(equalPages(reader.pages(), seen), `round ${round}`);
      reader?.close();
      checkReaders(node, history.all);
      if (filesOf(node).wal!.committed !== before) restarts++;
    }
    assert(restarts >= 3, `The WAL began anew ${restarts} times`);
  });

  test('waits past the limit of the WAL for a reader, while the log goes on', () => {
    const walBytes = 200_000;
    const { node, history } = newReplica({ replicaWalBytesMax: walBytes });
    receive(node, history.several(2));
    node.rest();
    const held = readerOf(node, 4711);
    const seen = shown(history.pages);
    for (let n = 0; n < 20; n++) {
      assert.equal(receive(node, history.several(30)).takenCount, 30);
      node.pass(100);
    }
    const [state] = node.engine.replica!.appliedStates();
    assert.equal(state!.obstacle?.kind, 'reader');
    assert.equal(state!.obstacle?.pid, 4711);
    assert(state!.waitingCount > 0);
    assert(filesOf(node).wal!.usedBytes < walBytes * 2);
    assert.equal(node.engine.replica!.positions().get(NAME)!.txid, history.txid);
    assert(equalPages(held.pages(), seen));
    checkReaders(node, history.all);
    held.close();
    for (let n = 0; n < 5; n++) node.pass(100);
    const [after] = node.engine.replica!.appliedStates();
    assert.deepEqual([after!.obstacle, after!.waitingCount], [undefined, 0]);
    assert.equal(after!.position.txid, history.txid);
    checkReaders(node, history.all);
  });

  test('reads from the log again what is too much to be kept in memory', () => {
    const { node, history } = newReplica({ replicaWalBytesMax: 100 }, 65_536);
    receive(node, [history.next()]);
    node.rest();
    receive(node, [history.next({ changesMax: 2 })]);
    node.rest();
    const held = readerOf(node);
    for (let n = 0; n < 40; n++) receive(node, history.several(4, { changesMax: 3 }));
    node.pass(100);
    const [state] = node.engine.replica!.appliedStates();
    assert.equal(state!.obstacle?.kind, 'reader');
    assert(state!.waitingCount > 100);
    held.close();
    for (let n = 0; n < 300 && filesOf(node).waitingCount > 0; n++) node.pass(60);
    checkReaders(node, history.all);
    assert.equal(node.engine.replica!.appliedPositions().get(NAME)!.txid, history.txid);
  });

  test('waits for a client that has the lock of the writer, and names it', () => {
    const { node, history } = newReplica();
    receive(node, [history.next()]);
    node.rest();
    const client = { pid: 4242 };
    assert(node.shmLocks.tryLock(client, NAME, WAL_WRITE_LOCK, 'exclusive'));
    assert.equal(receive(node, history.several(3)).takenCount, 3);
    node.pass(100);
    assert.deepEqual(filesOf(node).obstacle?.kind, 'writer');
    assert.equal(filesOf(node).obstacle?.pid, 4242);
    checkReaders(node, history.all);
    node.shmLocks.release(client);
    node.pass(100);
    assert.equal(filesOf(node).obstacle, undefined);
    checkReaders(node, history.all);
    assert.equal(node.engine.replica!.appliedPositions().get(NAME)!.txid, 4n);
  });

  test('waits for the mount', () => {
    const { node, history } = newReplica();
    node.shmLocks.joinFailure = new Error('There is no mount');
    receive(node, history.several(3));
    node.pass(100);
    assert.equal(filesOf(node).obstacle?.kind, 'mount');
    checkReaders(node, history.all);
    node.shmLocks.joinFailure = undefined;
    node.pass(100);
    assert.equal(node.engine.replica!.appliedPositions().get(NAME)!.txid, 3n);
    checkReaders(node, history.all);
  });

  test('brings pages into the file in short steps, also where none lie side by side', () => {
    const { node, history } = newReplica({}, 65_536);
    receiveFile(node, history.next({}, 160));
    node.rest();
    const { pages } = history;
    const changed = samplePages(new SeededRandom(3), 65_536, pages.length);
    const next = pages.map((page, n) => (n % 2 === 1 ? changed[n]! : page));
    receiveFile(node, history.become(next));
    node.rest();
    const { engine, disk } = node;
    const writtenCount = (): number =>
      disk.operations.filter(({ op }) => op === 'database.write').length;
    const before = writtenCount();
    const idle = engine.idle.bind(engine);
    let mostBytes = 0;
    engine.idle = () => {
      const count = writtenCount();
      idle();
      mostBytes = Math.max(mostBytes, (writtenCount() - count) * 65_536);
    };
    node.pass(61_000);
    assert.equal(writtenCount() - before, pages.length / 2);
    assert(mostBytes <= 2 * 1024 * 1024, `${mostBytes} bytes in one step`);
    checkReaders(node, history.all);
  });

  test('ends with the mount, and the rest is there at the next start', () => {
    const { node, history } = newReplica();
    receive(node, history.several(3));
    node.rest();
    node.shmLocks.hasEnded = true;
    assert.equal(receive(node, history.several(3)).takenCount, 3);
    node.pass(100);
    assert.equal(node.engine.replica!.appliedPositions().get(NAME)!.txid, 3n);
    assert.equal(filesOf(node).obstacle, undefined);
    checkReaders(node, history.all);
    node.close();
    const after = openReplica(node.disk);
    assert.equal(after.engine.replica!.appliedPositions().get(NAME)!.txid, 6n);
    checkReaders(after, history.all);
  });

  test('waits while the marks of readers cannot be read', () => {
    const { node, history } = newReplica({ replicaWalBytesMax: 50_000 });
    receive(node, history.several(3));
    node.rest();
    node.shmLocks.readFailure = new Error('The mount is going');
    while (filesOf(node).obstacle === undefined) {
      receive(node, history.several(20));
      node.rest();
    }
    assert.equal(filesOf(node).obstacle?.kind, 'disk');
    node.pass(61_000);
    checkReaders(node, history.all);
    node.shmLocks.readFailure = undefined;
    node.pass(100);
    assert.equal(filesOf(node).waitingCount, 0);
    checkReaders(node, history.all);
  });

  test('has nothing in its way when there is nothing to be applied', () => {
    const { node, history } = newReplica();
    receive(node, [history.next()]);
    node.rest();
    node.shmLocks.joinFailure = new Error('There is no mount');
    // A client that is about to open the database is not kept waiting by that.
    node.answer(() => node.engine.store.attend(NAME));
    assert.equal(filesOf(node).obstacle?.kind, 'mount');
    node.pass(100);
    assert.equal(filesOf(node).obstacle, undefined);
    assert.equal(node.engine.replica!.nextTickMs, Infinity, 'The node does not rest');
    receive(node, [history.next()]);
    node.rest();
    assert.equal(filesOf(node).obstacle?.kind, 'mount');
    node.shmLocks.joinFailure = undefined;
    node.pass(100);
    checkReaders(node, history.all);
  });

  test('goes on when the disk has room again', () => {
    let obstacles = 0;
    for (let blocks = 1; blocks < 12; blocks++) {
      const { node, history } = newReplica();
      receive(node, history.several(3));
      node.rest();
      const sent = history.several(6, { pageCountMax: 200 });
      // Room for the log, which is prepared, and for some of the rest.
      const { totalBytes, availableBytes } = node.disk.space('test', '/');
      node.disk.capacityBytes = totalBytes - availableBytes + blocks * 4096;
      const { takenCount } = receive(node, sent);
      node.pass(100);
      checkReaders(node, history.all);
      if (filesOf(node).obstacle?.kind === 'disk') obstacles++;
      node.disk.capacityBytes = 2 ** 40;
      node.pass(100);
      receive(node, sent.slice(takenCount));
      node.rest();
      checkReaders(node, history.all);
      assert.equal(filesOf(node).waitingCount, 0);
      checkChecksums(node);
    }
    assert(obstacles > 0, 'The disk was never full when something was applied');
  });

  test('shows nothing of a new database before all of it is there', () => {
    const { node, history } = newReplica();
    const sent = history.next({}, 5000);
    const job = node.engine.replica!.receiveFile({
      ...sent,
      path: writeReceived(node, sent.bytes),
    });
    const pending = node.engine.run(job);
    let shownAt = 0;
    for (let n = 1; shownAt === 0 && n < 1000; n++) {
      node.engine.idle();
      node.background.runBackground();
      if (node.engine.store.find(NAME) !== undefined) shownAt = n;
    }
    assert.equal(pending?.isSettled, true);
    assert(shownAt > 1);
    node.rest();
    checkReaders(node, history.all);
  });
});

describe('a database on a replica that is replaced', () => {
  test('puts only the pages that differ into the WAL', () => {
    const { node, history } = newReplica();
    receive(node, [history.next({}, 300)]);
    node.rest();
    const held = readerOf(node);
    const seen = shown(history.pages);
    const [, last] = history.several(2, { changesMax: 3 });
    receiveFile(node, snapshotOf(last!));
    node.rest();
    assert(equalPages(held.pages(), seen));
    checkReaders(node, history.all);
    assert(filesOf(node).wal!.committed.frames.count < 40);
  });

  test('is compared with what readers have, not with what was still to be applied', () => {
    const { node, history } = newReplica();
    const first = history.next();
    receive(node, [first]);
    node.rest();
    node.shmLocks.joinFailure = new Error('There is no mount');
    receive(node, history.several(5, { changesMax: 9 }));
    node.pass(100);
    const [header, ...others] = history.pages;
    // Some pages are as they were, in the header counts what came in between.
    receiveFile(
      node,
      snapshotOf(history.become([header!, ...first.pages.slice(1, others.length)])),
    );
    node.shmLocks.joinFailure = undefined;
    node.pass(100);
    assert.equal(filesOf(node).waitingCount, 0);
    checkReaders(node, history.all);
  });

  test('gets pages again that it had lost, also where the WAL has them still', () => {
    const { node, history } = newReplica();
    receive(node, [history.next({}, 30)]);
    const long = history.next({ changesMax: 30, pageCountMax: 60 });
    const grown = history.become([...long.pages, ...samplePages(new SeededRandom(4), 512, 9)]);
    history.become(grown.pages.slice(0, 12));
    receive(node, history.all.slice(1));
    node.rest();
    receiveFile(node, snapshotOf(history.become(grown.pages)));
    node.rest();
    checkReaders(node, history.all);
    // From the file alone.
    node.pass(61_000);
    receive(node, [history.next({ changesMax: 0 })]);
    node.rest();
    checkReaders(node, history.all);
    checkChecksums(node);
  });

  test('gives the room back of the pages that it has lost', () => {
    const { node, history } = newReplica();
    receive(node, [history.next({}, 200)]);
    node.rest();
    receive(node, [history.become(history.pages.slice(0, 3))]);
    node.pass(61_000);
    assert.equal(node.engine.store.find(NAME)!.sizeBytes, 3 * 512);
    checkReaders(node, history.all);
  });

  test('is exported as it was at one moment while transactions are applied', () => {
    const { node, history } = newReplica();
    receive(node, [history.next({}, 40)]);
    receive(node, history.several(3, { changesMax: 30 }));
    node.rest();
    const { pages } = history;
    const snapshot = take(node);
    assert.equal(snapshot.state.txid, history.txid);
    const found: Uint8Array[] = [];
    const page = new Uint8Array(512);
    while (snapshot.readPage(page, 0)) {
      found.push(page.slice());
      receive(node, [found.length === 3 ? history.become(pages.slice(0, 5)) : history.next()]);
      // Sometimes the WAL begins anew meanwhile.
      node.pass(found.length % 4 === 0 ? 61_000 : 0);
    }
    snapshot.close();
    assert(equalPages(found, pages));
    checkReaders(node, history.all);
  });

  test('is exported with pages that were in the WAL alone, and are gone', () => {
    const { node, history } = newReplica();
    receive(node, [history.next({}, 5)]);
    node.rest();
    const small = history.pages;
    const { pages } = history.become([...small, ...samplePages(new SeededRandom(6), 512, 4)]);
    receive(node, history.all.slice(1));
    node.rest();
    const snapshot = take(node);
    receive(node, [history.become(small)]);
    node.pass(61_000);
    const before = filesOf(node).wal!.committed;
    receive(node, history.several(9));
    node.rest();
    assert.notEqual(filesOf(node).wal!.committed, before, 'The WAL is not begun anew');
    const page = new Uint8Array(512);
    for (const expected of pages) {
      assert(snapshot.readPage(page, 0));
      assert.deepEqual(page, expected);
    }
    snapshot.close();
  });

  test('may have pages of another size: who has the old one open reads on', () => {
    const { node, history } = newReplica();
    receive(node, history.several(3));
    node.rest();
    const held = readerOf(node);
    const seen = shown(history.pages);
    const other = new SentHistory(new SeededRandom(2), NAME, 4096);
    other.several(9);
    receiveFile(node, snapshotOf(other.all.at(-1)!));
    node.rest();
    assert.deepEqual(node.removed, [NAME, `${NAME}-pos`, `${NAME}-wal`, `${NAME}-shm`]);
    assert(equalPages(held.pages(), seen), 'An open reader loses what it has');
    checkReaders(node, other.all);
    receive(node, other.several(2));
    node.rest();
    checkReaders(node, other.all);
    held.close();
    node.close();
    const after = openReplica(node.disk);
    checkReaders(after, other.all);
    checkChecksums(after);
  });

  test('is dropped and made again, and who has the old one open reads on', () => {
    const { node, history } = newReplica();
    receive(node, history.several(3));
    node.rest();
    const held = readerOf(node);
    const seen = shown(history.pages);
    receive(node, [history.drop()]);
    node.rest();
    assert.equal(node.engine.store.find(NAME), undefined);
    assert.equal(node.engine.store.find(`${NAME}-wal`), undefined);
    assert(equalPages(held.pages(), seen), 'An open reader loses what it has');
    const again = history.become(samplePages(new SeededRandom(8), 512, 9));
    receive(node, [again, history.next(), history.drop()]);
    receive(node, [history.become(samplePages(new SeededRandom(9), 512, 4)), history.next()]);
    node.rest();
    assert(equalPages(held.pages(), seen), 'An open reader loses what it has');
    held.close();
    checkReaders(node, history.all);
    checkChecksums(node);
    node.close();
    assert.deepEqual(node.disk.openFiles(), []);
  });
});

function take(node: SimNode): Snapshot {
  let snapshot: Snapshot | undefined;
  const job = (function* () {
    snapshot = yield* node.engine.takeSnapshot(NAME);
  })();
  node.answer(() => node.engine.run(job));
  return snapshot!;
}

function writeReceived(node: SimNode, bytes: Uint8Array): string {
  const path = `${node.engine.folder.scratch}/received`;
  const file = node.disk.open('test.received', path, 'create');
  file.write('test.received', bytes, 0, bytes.length, 0);
  file.close();
  return path;
}
