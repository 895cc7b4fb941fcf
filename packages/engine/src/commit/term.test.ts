import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom, SimDisk } from '@skein/testkit';

import { checkChecksums, readState } from '../../test/inspect.ts';
import { commitRollback, RollbackWriter } from '../../test/rollback-client.ts';
import { changedPages, equalPages, samplePages } from '../../test/sample-database.ts';
import { SimNode } from '../../test/sim-node.ts';
import { OWNER, SqliteClient } from '../../test/sqlite-client.ts';

const NAME = 'app.db';
const REFUSED = { code: 'NODE_SUSPENDED', message: /\(node1 and node2 disagree\)/u };

describe('the term of a node', () => {
  test('has an epoch that is durable when it is raised, and never falls', () => {
    const node = new SimNode();
    assert.equal(node.engine.epoch, 1);
    node.engine.raiseEpoch(7);
    assert.throws(() => node.engine.raiseEpoch(6), { code: 'EPOCH_TOO_LOW' });
    assert.equal(node.engine.log.published.epoch, 7);
    const after = node.reopen(node.disk.powerCut(new SeededRandom(1), 'lose-all'));
    assert.equal(after.engine.epoch, 7);
    assert.equal(after.engine.nodeId, node.engine.nodeId);
    assert.throws(() => after.engine.raiseEpoch(6), { code: 'EPOCH_TOO_LOW' });
  });

  test('does not rise when that cannot be made durable', () => {
    const disk = new SimDisk({ seed: 1 });
    const node = new SimNode({ disk });
    disk.failAt({ n: 1, op: 'node.sync', error: 'EIO' });
    assert.throws(() => node.engine.raiseEpoch(2));
    assert.deepEqual(disk.unusedFaults, []);
    assert.equal(node.engine.epoch, 1);
  });
});

describe('a node that is suspended', () => {
  test('lets nobody write until it is not any more, and everybody read', () => {
    const random = new SeededRandom(1);
    const node = new SimNode({ role: 'suspended' });
    assert.throws(() => node.engine.store.create(NAME, 'read-write', OWNER), {
      code: 'NODE_SUSPENDED',
    });
    node.engine.setRole('primary');
    const pages = samplePages(random, 512, 5);
    commitRollback(new SqliteClient(node, NAME, 512), pages, { end: 'delete' });

    node.engine.setRole('suspended', 'node1 and node2 disagree');
    assert.equal(node.engine.role, 'suspended');
    const { store } = node.engine;
    assert.throws(() => store.open(NAME, 'read-write'), REFUSED);
    assert.throws(() => store.create(`${NAME}-journal`, 'read-write', OWNER), REFUSED);
    assert.throws(() => store.remove(NAME), REFUSED);
    const page = new Uint8Array(512);
    assert.equal(store.open(NAME, 'read').read(page, 0, 512, 0), 512);
    assert.deepEqual(page, pages[0]);

    node.engine.setRole('primary');
    const next = changedPages(random, pages);
    commitRollback(new SqliteClient(node, NAME, 512), next, { end: 'delete' });
    assert(equalPages(readState(node).get(NAME), next));
  });

  test('gives up the transaction that is under way, and readers see the state before', () => {
    const random = new SeededRandom(2);
    const node = new SimNode();
    const client = new SqliteClient(node, NAME, 512);
    const pages = samplePages(random, 512, 8);
    commitRollback(client, pages, { end: 'delete' });
    const writer = new RollbackWriter(client, changedPages(random, pages), { end: 'delete' });
    writer.writeJournal();
    writer.writePages(1);
    node.engine.setRole('suspended', 'node1 and node2 disagree');
    node.rest();
    assert(equalPages(client.pages(), pages));
    assert.throws(() => writer.finish(), REFUSED);
    assert(equalPages(readState(node).get(NAME), pages));
    checkChecksums(node);
  });

  test('keeps the transaction that is in the log and waits for its sync', () => {
    const random = new SeededRandom(3);
    const node = new SimNode();
    const client = new SqliteClient(node, NAME, 512);
    const pages = samplePages(random, 512, 8);
    commitRollback(client, pages, { end: 'delete' });
    const next = changedPages(random, pages);
    const writer = new RollbackWriter(client, next, { end: 'delete' });
    writer.writeJournal();
    writer.writePages();
    writer.giveUp();
    const committed = node.engine.store.remove(writer.journalName);
    assert.equal(committed?.isSettled, false);
    const { lastLsn } = node.engine.log;
    node.engine.setRole('suspended', 'node1 and node2 disagree');
    node.rest();
    assert.deepEqual([committed.isSettled, committed.error], [true, undefined]);
    assert.equal(node.engine.log.lastLsn, lastLsn);
    assert(equalPages(client.pages(), next));
    assert(equalPages(readState(node).get(NAME), next));
    checkChecksums(node);
  });
});
