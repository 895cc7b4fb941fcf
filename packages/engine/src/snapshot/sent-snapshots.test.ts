import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { bytesSource, LtxReader } from '@skein/ltx';
import { SeededRandom } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import { equalPages, type Pages, samplePages } from '../../test/sample-database.ts';
import { SimNode, type SimNodeOptions } from '../../test/sim-node.ts';
import { Timeline } from '../../test/timeline.ts';
import type { SnapshotTicket } from './sent-snapshots.ts';
import { SnapshotProgress } from './snapshot-progress.ts';

const NAME = 'app.db';

const PAGE_SIZE = 65_536;

/** More steps of a snapshot than a transaction has requests. */
const PAGE_COUNT = 300;

/** Two or three transactions to a segment. */
const SMALL_LOG = { retentionMs: 0, segmentBytes: 1_000_000, checkpointBytes: 500_000 };

interface Setup {
  readonly node: SimNode;
  readonly actor: Actor;
}

function setUp(pageCount = 6, options: SimNodeOptions = {}): Setup {
  const node = new SimNode(options);
  const random = new SeededRandom(1);
  const actor = new Actor({ node, random, timeline: new Timeline(), pageSize: PAGE_SIZE });
  actor.commit(NAME, 'delete', samplePages(random, PAGE_SIZE, pageCount));
  return { node, actor };
}

function begin({ node }: Setup, peerTxid?: bigint): SnapshotTicket {
  let ticket: SnapshotTicket | undefined;
  const { engine } = node;
  const job = (function* () {
    ticket = yield* engine.snapshots.begin(NAME, peerTxid);
  })();
  const pending = engine.run(job);
  if (pending !== undefined) node.settle(pending);
  return ticket!;
}

function writtenOf({ progress }: SnapshotTicket): number | undefined {
  return new SnapshotProgress(progress).writtenBytes;
}

function bytesOf({ node }: Setup, { path, sizeBytes }: SnapshotTicket): Uint8Array {
  const file = node.disk.open('test', path, 'read');
  const bytes = new Uint8Array(sizeBytes);
  file.read('test', bytes, 0, sizeBytes, 0);
  file.close();
  return bytes;
}

function pagesOf(bytes: Uint8Array): Pages {
  const reader = new LtxReader(bytesSource(bytes), { version: 1 });
  assert.equal(reader.header.minTxid, 1n);
  const pages: Uint8Array[] = [];
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    pages.push(page.bytes.slice(page.start, page.start + PAGE_SIZE));
  }
  assert.equal(reader.sizeBytes, bytes.length);
  return pages;
}

describe('SentSnapshots', () => {
  test('are not shared with a peer that is further: its readers would see it go back', () => {
    const setup = setUp(4);
    const { node, actor } = setup;
    const first = begin(setup);
    node.rest();
    const { txid } = first.position;
    actor.commit(NAME, 'delete', samplePages(new SeededRandom(2), PAGE_SIZE, 4));
    assert.equal(begin(setup, txid).id, first.id);
    const second = begin(setup, txid + 1n);
    assert.notEqual(second.id, first.id);
    assert.equal(second.position.txid, txid + 1n);
  });

  test('are of one moment, and can be read while they grow and writers go on', () => {
    const setup = setUp(PAGE_COUNT);
    const { node, actor } = setup;
    const expected = actor.timeline.last.get(NAME)!;
    const ticket = begin(setup);
    const { state } = node.engine.store.findDatabase(NAME)!.database;
    assert.deepEqual(ticket.position, { txid: state.txid, checksum: state.checksum });
    assert.equal(ticket.lsn, state.lsn);
    let read = 0;
    const found = new Uint8Array(ticket.sizeBytes);
    const sizes = new Set<number>();
    for (let rounds = 0; read < ticket.sizeBytes; rounds++) {
      assert(rounds < 1000, 'It is never whole');
      const written = writtenOf(ticket)!;
      // What was read is not read again.
      const file = node.disk.open('test', ticket.path, 'read');
      file.read('test', found, read, written - read, read);
      file.close();
      read = written;
      sizes.add(written);
      node.engine.idle();
      if (rounds === 3) actor.commit(NAME, 'truncate');
    }
    assert(sizes.size > 4, 'It was written in one step');
    assert(equalPages(pagesOf(found), expected));
    node.engine.snapshots.release(ticket.id);
    node.close();
    assert.deepEqual(node.disk.openFiles(), []);
  });

  test('are shared while the log goes on behind them, and made anew when not', () => {
    const setup = setUp(6, SMALL_LOG);
    const { node, actor } = setup;
    const ticket = begin(setup);
    actor.commit(NAME, 'truncate');
    assert.equal(begin(setup), ticket);
    for (let n = 0; n < 10; n++) actor.commit(NAME, 'truncate');
    node.pass(61_000);
    assert(node.engine.log.published.firstLsn > ticket.lsn + 1, 'The log was not trimmed');
    assert.notEqual(begin(setup).id, ticket.id);
  });

  test('stay for a while after the last has gone, so that he can come back', () => {
    const setup = setUp();
    const { node } = setup;
    const ticket = begin(setup);
    assert.equal(begin(setup).id, ticket.id);
    node.rest();
    const exists = (): boolean => node.disk.stat('test', ticket.path) !== undefined;
    node.engine.snapshots.release(ticket.id);
    node.pass(200_000);
    assert(exists(), 'It is gone although one of two needs it');
    node.engine.snapshots.release(ticket.id);
    node.pass(1000);
    const bytes = bytesOf(setup, ticket);
    assert.equal(begin(setup).id, ticket.id);
    assert.deepEqual(bytesOf(setup, ticket), bytes);
    node.engine.snapshots.release(ticket.id);
    node.pass(61_000);
    node.pass(61_000);
    assert(!exists(), 'Nobody has come back for it');
  });

  test('hold the log behind them, though it is more than is kept else', () => {
    const setup = setUp(6, { ...SMALL_LOG, retentionBytesMax: 1 });
    const { node, actor } = setup;
    const { lsn } = begin(setup);
    const { published } = node.engine.log;
    published.hold(lsn + 1, lsn + 1);
    for (let n = 0; n < 10; n++) actor.commit(NAME, 'truncate');
    node.pass(61_000);
    assert(published.firstLsn <= lsn + 1, 'What the peer needs next is gone');
    // A peer that is only slow is given up.
    published.hold(lsn + 1, 0);
    node.pass(61_000);
    assert(published.firstLsn > lsn + 1, 'The limit counts for nothing');
    const told = node.log.entries.filter(({ message }) => message.includes('too slow'));
    assert.equal(told.length, 1);
  });

  test('fail when the disk is full, while writers go on', () => {
    const setup = setUp(PAGE_COUNT);
    const { node, actor } = setup;
    const ticket = begin(setup);
    node.disk.failAt({ n: 1, op: 'snapshot.write', error: 'ENOSPC', when: 'before' });
    node.rest();
    assert.equal(writtenOf(ticket), undefined);
    assert.match(JSON.stringify(node.log.entries), /Cannot write a snapshot for a replica/u);
    actor.commit(NAME, 'delete');
    node.engine.snapshots.release(ticket.id);
    node.pass(61_000);
    assert.equal(node.disk.stat('test', ticket.path), undefined);
    assert.notEqual(begin(setup).id, ticket.id);
  });

  test('fail, and not the writer, when a page that he replaces cannot be kept', () => {
    const setup = setUp(PAGE_COUNT, { overlayBytes: 0 });
    const { node, actor } = setup;
    const ticket = begin(setup);
    const before = actor.timeline.last.get(NAME)!;
    const next = [...before.slice(0, -1), new Uint8Array(PAGE_SIZE).fill(0xee)];
    const client = actor.client(NAME);
    // The first one is for the pages that the client writes.
    node.disk.failAt({ n: 2, op: 'scratch.create', error: 'ENOSPC', when: 'before' });
    actor.commit(NAME, 'delete', next);
    assert.deepEqual(node.disk.unusedFaults, []);
    node.rest();
    assert.equal(writtenOf(ticket), undefined);
    assert(equalPages(client.pages(), next));
  });

  test('fail when the pages are not what the log says', () => {
    const setup = setUp();
    const { node } = setup;
    const file = node.disk.open('test', '/data/dbs/app.db/database', 'update');
    file.write('test', new Uint8Array([1, 2, 3]), 0, 3, PAGE_SIZE + 700);
    file.close();
    const ticket = begin(setup);
    node.rest();
    assert.equal(writtenOf(ticket), undefined);
  });
});
